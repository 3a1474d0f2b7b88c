import type { Request, RequestHandler } from 'express'

/** More than any form of ours; what follows is not read. */
const limitBytes = 16 * 1024

/**
 * Reads a form and never refuses it: RFC 8058 allows multipart, urlencoded and nothing at all, and a provider's
 * button must work whatever stands in the body. What cannot be read counts as empty; files in a form are left out.
 */
export const lenientForm: RequestHandler = async (request, _response, next) => {
  const bytes = await readSome(request)
  request.body = await parseFields(bytes, request.get('content-type') ?? '')
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

async function parseFields(bytes: Buffer, type: string): Promise<Record<string, string>> {
  if (bytes.length > limitBytes) return {}
  try {
    const answer = new Response(new Uint8Array(bytes), { headers: { 'content-type': type } })
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it warns of large bodies; this one is bounded
    const form = await answer.formData()
    return Object.fromEntries(
      [...form].filter((field): field is [string, string] => typeof field[1] === 'string'),
    )
  } catch {
    return {}
  }
}
