import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Logger } from '../log.ts'

/** Tells a cache in front of us that pages have changed. */
export type Purge = (paths: readonly string[]) => Promise<void>

const timeoutMs = 2_000

/**
 * `PURGE {purgeUrl}{path}` with our own name as Host, as Varnish, Fastly and nginx's purge module take it. A cache that
 * does not answer is told in the log: what it keeps is a minute old at most.
 * @param purgeUrl undefined: there is no cache to tell
 */
export function createPurge(purgeUrl: string | undefined, publicUrl: string, log: Logger): Purge {
  if (purgeUrl === undefined) return () => Promise.resolve()
  const origin = purgeUrl.replace(/\/$/, '')
  const { host } = new URL(publicUrl)
  const purge = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const url = new URL(origin + path)
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const asked = send(url, { method: 'PURGE', headers: { host }, timeout: timeoutMs })
      asked.on('error', reject)
      asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      asked.on('response', (answer) => {
        answer.resume()
        const { statusCode: status = 0 } = answer
        // What it did not keep is no fault.
        if (status < 400 || status === 404) resolve()
        else reject(new Error(`it answered ${status}`))
      })
      asked.end()
    })
  return async (paths) => {
    try {
      // One after the other: where it does not answer once, the rest is not tried.
      for (const path of paths) await purge(path)
    } catch (error) {
      log.warn({ reason: String(error) }, 'the cache at PURGE_URL was not told of a change')
    }
  }
}
