import type { Request, Response } from 'express'
import { DomainError } from '../errors.ts'
import { formOf } from './form-body.ts'
import { requireSameOrigin } from './same-origin.ts'
import { readFilledForm } from './upload.ts'

/** Bytes of a form that is shown again to somebody who is not signed in. */
const mostKept = 2 * 1024 * 1024

/**
 * What was typed into a form that is refused because its editor was signed out, or has signed in again since; without
 * files, which a page cannot give back. Undefined for every other error.
 * @throws DomainError `cross_site`
 */
export async function keptForm(
  error: unknown,
  request: Request,
  response: Response,
  publicUrl: string,
): Promise<[name: string, value: string][] | undefined> {
  if (!(error instanceof DomainError) || request.accepts(['html', 'json']) !== 'html') return undefined
  if (error.code !== 'signed_out' && error.code !== 'form_expired') return undefined
  // What another site wrote must not come back as words of ours, to be sent with a click.
  requireSameOrigin(request, publicUrl)
  if (error.code === 'signed_out' && !(await readKept(request, response))) return undefined
  const fields = Object.entries((request.body ?? {}) as Record<string, unknown>)
  const kept = fields.flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, String(value)]),
  )
  return kept.filter(([name]) => name !== 'csrf')
}

/** Whether it could be read: what is too large for a stranger is let go. */
async function readKept(request: Request, response: Response): Promise<boolean> {
  const size = Number(request.get('content-length') ?? Infinity)
  if (size > mostKept) return false
  if (request.is('multipart/form-data'))
    request.body = (await readFilledForm(request, { fields: mostKept, file: mostKept })).fields
  else
    await new Promise((resolve) => {
      formOf(mostKept)(request, response, resolve)
    })
  return true
}
