import type { Web } from './web.ts'
import { rowsOf } from './query.ts'

/** A person at a browser: keeps cookies, posts forms. */
export interface Reader {
  cookies: Map<string, string>
  get: (path: string, headers?: Record<string, string>) => Promise<Response>
  /** Posts urlencoded fields as a browser's form. */
  post: (
    path: string,
    fields: Record<string, string | string[]>,
    headers?: Record<string, string>,
  ) => Promise<Response>
}

export function aReader(web: Web): Reader {
  const cookies = new Map<string, string>()
  const send = async (
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers: Record<string, string> },
  ) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...init.headers }
    const response = await web.fetch(path, { ...init, headers })
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return response
  }
  return {
    cookies,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, fields, headers = {}) => {
      const body = new URLSearchParams()
      for (const [name, value] of Object.entries(fields))
        for (const one of [value].flat()) body.append(name, one)
      return send(path, { method: 'POST', body, headers })
    },
  }
}

export const nonceIn = (html: string): string => /name="nonce" value="([^"]+)"/.exec(html)?.[1] ?? ''

/** Path of the link in the newest activation mail to this address, as the mail would carry it. */
export async function activationPath(web: Web, address: string): Promise<string> {
  const { activationId } = await lastMail(web, address)
  return new URL(web.context.services.subscriptionLinks.activationUrl(activationId)).pathname
}

/** The newest activation mail that waits for this address. */
export async function lastMail(web: Web, address: string): Promise<{ activationId: string; kind: string }> {
  const [mail] = await rowsOf<{ activationId: string; kind: string }>(
    web,
    `select a.id as "activationId", o.kind from outbox o join activations a on a.id = o.activation_id
     where a.address = $1 order by o.id desc limit 1`,
    [address],
  )
  if (!mail) throw new Error('no mail waits for that address')
  return mail
}

/** Signs up, lets the worker decide, and activates in the same browser. */
export async function aSubscribedReader(web: Web, email: string, newsletters: string[]) {
  const reader = aReader(web)
  await reader.post('/subscribe', { email, newsletters })
  await web.context.services.signupDecisions.decideAll()
  await reader.get(await activationPath(web, email))
  const subscriber = await web.context.database.stores.subscribers.findByAddress(email)
  if (!subscriber) throw new Error('nobody was subscribed')
  return { reader, subscriber }
}
