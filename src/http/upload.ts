import { PassThrough, type Readable } from 'node:stream'
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import type { Request, RequestHandler, Response } from 'express'
import { invalid } from '../errors.ts'

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

export const uploadOf = (response: Response): Readable | undefined =>
  response.locals['upload'] as Readable | undefined

function readForm(request: Request): Promise<{ fields: Record<string, string>; file: Readable | undefined }> {
  const fields: Record<string, string> = {}
  const { promise, resolve, reject } = Promise.withResolvers<{
    fields: Record<string, string>
    file: Readable | undefined
  }>()
  const parser = openParser(request)
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
  parser.on('error', (error) => {
    fail(unreadable(error))
  })
  request.on('aborted', () => {
    fail(unreadable(new Error('the upload broke off')))
  })
  request.pipe(parser)
  return promise
}

function openParser(request: Request): BusboyInstance {
  try {
    return new Busboy({ headers: request.headers as BusboyHeaders, limits })
  } catch (error) {
    throw unreadable(error)
  }
}

const unreadable = (cause: unknown) =>
  invalid('malformed_body', 'The form could not be read to its end; send it again.', {
    cause,
  })
