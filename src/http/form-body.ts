import express, { type RequestHandler } from 'express'
import { readBody, readFilledForm } from './upload.ts'

/** As browsers send a form without files. @param limit in bytes */
export const formOf = (limit: number): RequestHandler =>
  express.urlencoded({ extended: false, limit, parameterLimit: 1_000 })

/** The same, or as scripts send one (`body: new FormData(form)`), without its files. @throws DomainError `too_large` */
export const anyFormOf =
  (limit: number): RequestHandler =>
  async (request, response, next) => {
    if (!request.is('multipart/form-data')) {
      formOf(limit)(request, response, next)
      return
    }
    request.body = (await readFilledForm(request, { fields: limit, file: 0 })).fields
    next()
  }

/** More than any form of ours; what has more counts as empty. */
const limitBytes = 16 * 1024

/**
 * Reads a form and never refuses it: RFC 8058 allows multipart, urlencoded and nothing at all, and a provider's
 * button must work whatever stands in the body. What cannot be read counts as empty; files in a form are left out.
 */
export const lenientForm: RequestHandler = async (request, _response, next) => {
  // A connection that ended early has said enough.
  const bytes = await readBody(request, limitBytes).catch(() => Buffer.alloc(0))
  request.body = await parseFields(bytes, request.get('content-type') ?? '')
  next()
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
