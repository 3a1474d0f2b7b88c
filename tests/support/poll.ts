import { request, type IncomingHttpHeaders } from 'node:http'

export interface Polled {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
}

/** One request as it stands: no header is added, nothing is decoded, no redirect is followed. */
export function poll(
  url: string,
  options: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<Polled> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          text: body.toString('utf8'),
        })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
