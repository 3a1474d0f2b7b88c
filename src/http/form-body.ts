import type { Request, RequestHandler } from 'express'

/** More than any form of ours; what follows is not read. */
const limitBytes = 16 * 1024

/**
 * Reads a form and never refuses it: RFC 8058 allows multipart, urlencoded and nothing at all, and a provider's
 * button must work whatever stands in the body. Our own forms are urlencoded; everything else counts as empty.
 */
export const lenientForm: RequestHandler = async (request, _response, next) => {
  const bytes = await readSome(request)
  request.body = parseFields(bytes, request.get('content-type') ?? '')
  next()
}

async function readSome(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (size < limitBytes) chunks.push(chunk)
      size += chunk.length
      if (size > limitBytes * 64) break
    }
  } catch {
    // A connection that ended early has said enough.
  }
  return Buffer.concat(chunks)
}

function parseFields(bytes: Buffer, type: string): Record<string, string> {
  if (bytes.length > limitBytes || !type.startsWith('application/x-www-form-urlencoded')) return {}
  return Object.fromEntries(new URLSearchParams(bytes.toString('utf8')))
}
