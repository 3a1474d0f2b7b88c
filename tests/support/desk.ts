import { randomBytes } from 'node:crypto'
import type { Role } from '../../src/domain/editor.ts'
import type { Web } from './web.ts'

export interface DeskClient {
  editorId: number
  cookie: string
  csrf: string
  get: (path: string) => Promise<Response>
  /** Posts a form with the right token unless `fields.csrf` says otherwise. */
  post: (path: string, fields: FormFields, headers?: Record<string, string>) => Promise<Response>
}

/** Pairs where a name comes more than once. */
type FormFields = Record<string, string> | [name: string, value: string][]

/** A new editor of this role, signed in through their link as a browser would. Paths are below /desk. */
export async function signedIn(web: Web, role: Role): Promise<DeskClient> {
  const { editors, signIn } = web.context.services
  const email = `${role}-${randomBytes(4).toString('hex')}@rivage.example`
  const editor = await editors.add({ email, role, language: 'fr' }, { kind: 'cli', role: 'admin' })
  const { pathname } = new URL(await signIn.createLink(email))
  const opened = await web.fetch(pathname, { method: 'POST' })
  const cookie = (opened.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  const headers = { cookie, accept: 'text/html' }
  const csrf =
    /name="csrf" value="([^"]+)"/.exec(await (await web.fetch('/desk/settings', { headers })).text())?.[1] ??
    ''
  return {
    editorId: editor.id,
    cookie,
    csrf,
    get: (path) => web.fetch(`/desk${path}`, { headers }),
    post: (path, fields, more = {}) =>
      web.fetch(`/desk${path}`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: new URLSearchParams([
          ['csrf', csrf],
          ...(Array.isArray(fields) ? fields : Object.entries(fields)),
        ]),
      }),
  }
}
