import { PassThrough, type Readable } from 'node:stream'
import { Busboy, type BusboyConfig, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import type { Request, RequestHandler, Response } from 'express'
import { invalid } from '../errors.ts'

/** Of a form with one file at its end. */
const limits = { fields: 20, fieldSize: 4_000, fieldNameSize: 100, files: 1, parts: 21 }

/**
 * Reads the fields that stand before the one file of a multipart form, and leaves the file to the handler as it comes.
 * What stands behind the file is not read: a form puts its file last.
 */
export const parseUpload: RequestHandler = async (request, response, next) => {
  const { fields, file } = await readForm(request)
  // What nobody has read by then is let by, for a browser shows the answer once it has sent everything.
  response.on('finish', () => {
    file?.destroy()
    request.unpipe()
    request.resume()
  })
  request.body = fields
  response.locals['upload'] = file
  next()
}

/** What a form with pictures holds: fields as of any form, and each file that was chosen, whole or enough to be refused. */
export interface FilledForm {
  fields: Record<string, string | string[]>
  files: Map<string, Buffer>
}

/**
 * Reads a form with its files to the end.
 * @param most bytes of all fields together, of each file
 * @throws DomainError `malformed_body`, `too_large`
 */
export function readFilledForm(
  request: Request,
  most: { fields: number; file: number },
): Promise<FilledForm> {
  const fields = Object.create(null) as FilledForm['fields']
  const files: FilledForm['files'] = new Map()
  const { promise, resolve, reject } = Promise.withResolvers<FilledForm>()
  const parser = openParser(request, {
    fields: 1_000,
    fieldSize: most.fields + 1,
    fieldNameSize: 100,
    files: 3,
    fileSize: most.file + 1,
  })
  const fail = (error: Error) => {
    request.unpipe(parser).resume()
    reject(error)
  }
  let size = 0
  parser.on('field', (name, value) => {
    size += value.length
    if (size > most.fields)
      fail(invalid('too_large', 'The text of the form is larger than this route takes.'))
    else fields[name] = name in fields ? [fields[name] ?? '', value].flat() : value
  })
  parser.on('fieldsLimit', () => {
    fail(invalid('too_large', 'The form has more than 1,000 fields.'))
  })
  parser.on('file', (name, stream) => {
    const chunks: Buffer[] = []
    stream.on('error', (error) => {
      fail(unreadable(error))
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      if (chunks.length > 0) files.set(name, Buffer.concat(chunks))
    })
  })
  parser.on('finish', () => {
    resolve({ fields, files })
  })
  parse(request, parser, fail)
  return promise
}

export const uploadOf = (response: Response): Readable | undefined =>
  response.locals['upload'] as Readable | undefined

/** The whole body of a request, or its beginning of one byte more than the limit. @throws DomainError `malformed_body` */
export async function readBody(request: Request, limit: number): Promise<Buffer> {
  try {
    // What is refused halfway is let by to its end: a client reads no answer while it still sends.
    return await readFile(request.iterator({ destroyOnReturn: false }), limit)
  } catch (error) {
    throw unreadable(error)
  } finally {
    request.resume()
  }
}

async function readFile(bytes: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit + 1)
}

function readForm(request: Request): Promise<{ fields: Record<string, string>; file: Readable | undefined }> {
  const fields: Record<string, string> = {}
  const { promise, resolve, reject } = Promise.withResolvers<{
    fields: Record<string, string>
    file: Readable | undefined
  }>()
  const parser = openParser(request, limits)
  let file: PassThrough | undefined
  parser.on('field', (name, value) => {
    fields[name] = value
  })
  parser.on('file', (_name, stream) => {
    const opened = new PassThrough()
    file = opened
    stream.on('error', (error) => opened.destroy(error))
    // A file that is longer than its form, because the connection broke, must not pass for a whole one.
    stream.pipe(opened, { end: false })
    opened.on('close', () => {
      stream.unpipe().resume()
    })
    resolve({ fields, file: opened })
  })
  parser.on('finish', () => {
    file?.end()
    resolve({ fields, file: undefined })
  })
  const fail = (error: Error) => {
    file?.destroy(error)
    reject(error)
  }
  parse(request, parser, fail)
  return promise
}

function parse(request: Request, parser: BusboyInstance, fail: (error: Error) => void): void {
  parser.on('error', (error) => {
    fail(unreadable(error))
  })
  request.on('aborted', () => {
    fail(unreadable(new Error('the upload broke off')))
  })
  request.pipe(parser)
}

function openParser(request: Request, limits: BusboyConfig['limits']): BusboyInstance {
  try {
    return new Busboy({ headers: request.headers as BusboyHeaders, ...(limits && { limits }) })
  } catch (error) {
    throw unreadable(error)
  }
}

const unreadable = (cause: unknown) =>
  invalid('malformed_body', 'The form could not be read to its end; send it again.', {
    cause,
  })
