import { depeche } from '../support/cli.ts'
import { query } from '../support/sending-digest.ts'

/** What an answer may take, in milliseconds, by whom it is for. */
export const targets = { public: 50, desk: 300, api: 300, machines: 300 }

export interface Page {
  kind: keyof typeof targets
  name: string
  read: () => Promise<Response>
  /** Takes away what was made, outside the time. */
  undo?: (made: unknown) => Promise<unknown>
}

export interface Site {
  origin: string
  databaseUrl: string
  /** Ports of the web process and of the worker. */
  metrics: number[]
}

export interface Clients {
  desk: (path: string) => Promise<Response>
  api: (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Response>
}

/** An admin with a browser, and one with a key. */
export async function signIn({ origin, databaseUrl }: Site): Promise<Clients> {
  const cli = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await depeche(databaseUrl, args, { PUBLIC_URL: origin })
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  await cli('editor', 'add', 'volume@rivage.example', '--role', 'admin')
  const { pathname } = new URL(await cli('editor', 'sign-in', 'volume@rivage.example'))
  const opened = await fetch(origin + pathname, { method: 'POST', redirect: 'manual' })
  const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const key = await cli('key', 'create', '--role', 'admin', '--name', 'volume')
  return {
    desk: (path) =>
      fetch(`${origin}/desk${path}`, { headers: { cookie, accept: 'text/html' }, redirect: 'manual' }),
    api: (method, path, body, headers = {}) =>
      fetch(`${origin}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        ...(body && { body: JSON.stringify(body) }),
      }),
  }
}

/** Rows that pages are about, of the shapes that cost most. */
async function findSubjects(url: string) {
  const one = async <Value>(statement: string): Promise<Value> => {
    const [row] = await query<{ value: Value }>(url, statement)
    if (row === undefined) throw new Error(`no row: ${statement}`)
    return row.value
  }
  return {
    largest: await one<string>(
      `select id as value from digests where state = 'completed' order by audience desc limit 1`,
    ),
    uncertain: await one<string>(
      `select id as value from digests where state = 'completed_with_uncertain' order by id desc limit 1`,
    ),
    person: await one<string>(`select max(subscriber_id) as value from deliveries where state = 'accepted'`),
    address: await one<string>(`select max(address) as value from subscribers where id % 3 = 0`),
    story: await one<string>(
      `select slug as value from articles where state = 'published' order by first_public_at desc offset 300 limit 1`,
    ),
    withdrawn: await one<string>(`select max(slug) as value from articles where state = 'withdrawn'`),
  }
}

/** Every kind of page there is, and the calls of the API that read. @param digest one whose state changes meanwhile */
export async function listPages(site: Site, { desk, api }: Clients, digest: number): Promise<Page[]> {
  const { largest, uncertain, person, address, story, withdrawn } = await findSubjects(site.databaseUrl)
  const readers = `/ /ar/ /sections /sections/section-1 /fr/dossiers/dossier-1 /tags/tag-7 /authors/author-3 /newsletters
    /newsletters/lettre-1 /digests/${largest} /articles/${story} /articles/${withdrawn} /feeds /feeds.opml /sitemap.xml
    /subscribe /rss.xml /tags/tag-9/atom.xml`
  const editors = `/ /digests /digests?state=completed /digests/${largest} /digests/${uncertain} /digests/${digest}
    /subscribers /subscribers?q=${address.slice(3, 14)} /subscribers?q=boite /subscribers?newsletter=lettre-1&state=ended
    /subscribers/${person} /suppressions /deliverability /imports /sources /articles /articles?state=draft
    /articles?state=withdrawn /articles?q=tramway+port /articles?section=section-3 /articles/volume%3A777 /sections
    /sections/tag/tag-7 /picks /responses /feeds /feeds/feed?path=/rss.xml /newsletters /newsletters/lettre-1
    /newsletters/lettre-1/report /settings /audit /look`
  const calls = `/digests /digests/${digest} /digests/${largest} /digests/${largest}/report
    /digests/${largest}/deliveries?state=rejected /digests/${digest}/preview /subscribers /subscribers?q=${address.slice(3, 14)}
    /subscribers/${person} /subscribers/${person}/explain?digest=${largest} /articles /articles?state=withdrawn /newsletters
    /newsletters/lettre-1/report /sections`
  const [web, worker] = site.metrics
  return [
    ...readers.split(/\s+/).map((path): Page => ({
      kind: 'public',
      name: path,
      read: () => fetch(site.origin + path, { headers: { 'accept-language': 'fr' }, redirect: 'manual' }),
    })),
    ...editors.split(/\s+/).map((path): Page => ({
      kind: 'desk',
      name: `/desk${path === '/' ? '' : path}`,
      read: () => desk(path),
    })),
    ...calls
      .split(/\s+/)
      .map((path): Page => ({ kind: 'api', name: `GET ${path}`, read: () => api('GET', path) })),
    ...[
      ['/readyz', `${site.origin}/readyz`],
      ['/metrics, web', `http://127.0.0.1:${web}/metrics`],
      ['/metrics, worker', `http://127.0.0.1:${worker}/metrics`],
    ].map(([name = '', url = '']): Page => ({ kind: 'machines', name, read: () => fetch(url) })),
  ]
}
