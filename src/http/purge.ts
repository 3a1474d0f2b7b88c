import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

/** Tells a cache in front of us that pages have changed. */
export type Purge = (paths: readonly string[]) => Promise<void>

const timeoutMs = 2_000
/** What a cache that takes its time costs whoever tells it: the next change waits behind this one. */
const patienceMs = 200

/**
 * `PURGE {purgeUrl}{path}` with our own name as Host, as deploy/varnish.vcl and Fastly take it. A cache that does not
 * answer is told of in the log: what it keeps is a minute old at most.
 * @param purgeUrl undefined: there is no cache to tell
 * @param tellFault says so once a minute
 */
export function createPurge(
  purgeUrl: string | undefined,
  publicUrl: string,
  tellFault: (error: Error, sentence: string) => void,
): Purge {
  if (purgeUrl === undefined) return () => Promise.resolve()
  const origin = purgeUrl.replace(/\/$/, '')
  const { host } = new URL(publicUrl)
  const purge = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const url = new URL(origin + path)
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const signal = AbortSignal.timeout(timeoutMs)
      const asked = send(url, { method: 'PURGE', headers: { host }, signal })
      asked.on('error', reject)
      asked.on('response', (answer) => {
        answer.resume()
        const { statusCode: status = 0 } = answer
        // What it did not keep is no fault.
        if (status < 400 || status === 404) resolve()
        else reject(new Error(`it answered ${status}`))
      })
      asked.end()
    })

  const waiting = new Set<string>()
  const tell = async () => {
    try {
      for (const path of waiting) {
        waiting.delete(path)
        await purge(path)
      }
    } catch (error) {
      // Where it does not answer once, the rest is not tried.
      waiting.clear()
      const { name, message } = error as Error
      const reason = name === 'AbortError' ? `no answer within ${timeoutMs} ms` : message
      tellFault(
        Object.assign(new Error(reason), { code: 'purge' }),
        'the cache at PURGE_URL was not told of a change',
      )
    }
  }
  let telling: Promise<void> | undefined
  return async (paths) => {
    for (const path of paths) waiting.add(path)
    telling ??= tell().finally(() => {
      telling = undefined
    })
    await Promise.race([telling, sleep(patienceMs, undefined, { ref: false })])
  }
}
