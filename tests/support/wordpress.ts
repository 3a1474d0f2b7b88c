import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

type Status = 'publish' | 'future' | 'draft' | 'private' | 'trash'

export interface FakePost {
  id: number
  status: Status
  /** UTC; the site keeps its own local time, without a zone. */
  date: Date
  modified: Date
  title: string
  html: string
  slug: string
  guid: string
  password: string
  /** The times that its database holds, where it was written in another zone. */
  locals?: Record<'date' | 'modified', string>
  /** Below which language's home it lies. */
  prefix: string
  category: { slug: string; name: string }
  author: string | undefined
  excerpt: string
}

/** How the site misbehaves. */
type Mood = 'well' | 'login-page' | 'cut' | 'busy' | 'closed' | 'down'

/**
 * A WordPress as one was recorded: times are compared strictly and in the site's own zone, a scheduled post keeps the
 * time of its last change, what is not public answers 401, what is gone 404, a page behind the last 400, and the feed's
 * validator follows saves alone.
 */
export class FakeWordpress {
  readonly posts = new Map<number, FakePost>()
  /** Path and query of each request. */
  requests: string[] = []
  agents = new Set<string>()
  mood: Mood = 'well'
  /** Requests that are answered well before the mood begins. */
  wellFor = 0
  retryAfter = '120'
  /** What the API answers, where that is not what was asked; the other pages are well. */
  apiStatus: number | undefined
  now: Date
  home = ''
  /** Undefined: as WordPress 6.1, which says nothing of it. */
  frontPage: number | undefined = 0
  languages: { slug: string; w3c: string; path: string }[] = []
  /** Its permalinks begin with the day. */
  isDated = true
  showsAll = true
  /** Whether its answers hold the time of the last change. */
  tellsChanges = true
  /** Whether a plugin makes 200 of the status of errors. */
  wrapsErrors = false
  /** Posts whose text ends its PHP. */
  broken = new Set<number>()
  /** Parameters that it does not know, as WordPress 5.6 does not know `modified_after`. */
  unknown: string[] = []
  /** Runs before a request is answered. */
  onRequest: ((path: string) => Promise<void>) | undefined
  #nextId = 1
  #saved = 0
  #clock: Intl.DateTimeFormat
  #locals = new Map<number, string>()

  /** It begins some hours ago, so that its posts of later are not still to come. */
  constructor({
    now = new Date(Date.now() - 6 * 3_600_000),
    zone = 'Europe/Paris',
  }: { now?: Date; zone?: string } = {}) {
    this.now = now
    this.#clock = clockOf(zone)
  }

  /** What was written in the zone of before keeps its times. */
  setZone(zone: string): void {
    for (const post of this.posts.values())
      post.locals ??= { date: this.local(post.date), modified: this.local(post.modified) }
    this.#clock = clockOf(zone)
    this.#locals.clear()
  }

  add(wish: Partial<FakePost> = {}): FakePost {
    const id = wish.id ?? this.#nextId
    this.#nextId = Math.max(this.#nextId, id) + 1
    const date = wish.date ?? this.now
    const post: FakePost = {
      id,
      status: 'publish',
      title: `Article ${id}`,
      html: `<p>Le texte de l’article ${id}, publié par le journal du port.</p>`,
      slug: `article-${id}`,
      guid: `${this.home}/?p=${id}`,
      password: '',
      prefix: '',
      category: { slug: 'culture', name: 'Culture &amp; idées' },
      author: 'Nadia Haddad',
      excerpt: '',
      ...wish,
      date,
      // A post that is made with a date in the past is given that for its last change, too.
      modified: wish.modified ?? date,
    }
    this.posts.set(id, post)
    this.#saved += 1
    return post
  }

  edit(id: number, change: Partial<FakePost>): void {
    Object.assign(this.#get(id), { modified: this.now, ...change })
    this.#saved += 1
  }

  /** Its status changes; nothing else tells. */
  turn(id: number, status: Status): void {
    Object.assign(this.#get(id), { status, modified: this.now })
  }

  remove(id: number): void {
    this.posts.delete(id)
  }

  /** What is due goes out, with the time of its last change. */
  runCron(): void {
    for (const post of this.posts.values()) {
      if (post.status === 'future' && post.date <= this.now) post.status = 'publish'
    }
  }

  later(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000)
  }

  linkOf({ date, slug, prefix }: FakePost): string {
    const [day = ''] = this.local(date).split('T')
    return `${this.home}${prefix}/${this.isDated ? `${day.replaceAll('-', '/')}/` : ''}${slug}/`
  }

  /** As the database of the site holds it. */
  local(at: Date): string {
    const known = this.#locals.get(at.getTime())
    if (known !== undefined) return known
    const parts = this.#clock.formatToParts(at)
    const of = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
    const local = `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}`
    this.#locals.set(at.getTime(), local)
    return local
  }

  readonly listen = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '/'
    this.requests.push(path)
    this.agents.add(request.headers['user-agent'] ?? '')
    void (this.onRequest?.(path) ?? Promise.resolve()).then(() => {
      this.#serve(request, response, path)
    })
  }

  /** What core sends to an Update Service. */
  ping(url: string): Promise<Response> {
    const body = `<?xml version="1.0"?>
<methodCall>
<methodName>weblogUpdates.extendedPing</methodName>
<params>
<param><value><string>Journal Essai</string></value></param>
<param><value><string>${this.home}/</string></value></param>
<param><value><string>${this.home}/feed/</string></value></param>
</params></methodCall>`
    return fetch(url, { method: 'POST', headers: { 'content-type': 'text/xml' }, body })
  }

  #serve(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (this.wellFor > 0) this.wellFor -= 1
    else if (this.mood !== 'well') {
      this.#misbehave(response, path)
      return
    }
    this.#answer(request, response, new URL(path, this.home))
  }

  #get(id: number): FakePost {
    const post = this.posts.get(id)
    if (!post) throw new Error(`no post ${id}`)
    return post
  }

  #misbehave(response: ServerResponse, path: string): void {
    if (this.mood === 'login-page')
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><form action="/wp-login.php"></form></html>')
    else if (this.mood === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
      response.write('[{"id":1,"date_gmt":"2026-')
      setImmediate(() => response.destroy())
    } else if (this.mood === 'busy') response.writeHead(503, { 'retry-after': this.retryAfter }).end()
    else if (this.mood === 'closed' && path.includes('wp-json'))
      json(response, 401, { code: 'rest_login_required', message: 'no', data: { status: 401 } })
    else response.destroy()
  }

  #answer(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const [, id] = /^\/wp-json\/wp\/v2\/posts\/(\d+)$/.exec(url.pathname) ?? []
    if (this.apiStatus !== undefined && url.pathname.startsWith('/wp-json/'))
      json(response, this.apiStatus, {})
    else if (url.pathname === '/wp-json/') this.#root(response)
    else if (url.pathname === '/wp-json/pll/v1/languages') this.#languages(response)
    else if (url.pathname === '/wp-json/wp/v2/posts') this.#list(response, url.searchParams)
    else if (id !== undefined) this.#one(response, Number(id))
    else if (url.pathname === '/feed/atom/') this.#feed(request, response)
    else if (url.pathname === '/')
      response
        .writeHead(200, {
          link: `<${this.home}/wp-json/>; rel="https://api.w.org/"`,
          'content-type': 'text/html',
        })
        .end('<!doctype html><html lang="fr-FR"><head><title>Journal Essai</title></head></html>')
    else response.writeHead(404, { 'content-type': 'text/html' }).end('<html></html>')
  }

  #root(response: ServerResponse): void {
    json(response, 200, {
      name: 'Journal Essai',
      home: this.home,
      namespaces: ['wp/v2', ...(this.languages.length > 0 ? ['pll/v1'] : [])],
      ...(this.frontPage !== undefined && {
        show_on_front: this.frontPage ? 'page' : 'posts',
        page_on_front: this.frontPage,
        page_for_posts: 0,
      }),
    })
  }

  #languages(response: ServerResponse): void {
    json(
      response,
      200,
      this.languages.map(({ slug, w3c, path }) => ({ slug, w3c, home_url: `${this.home}${path}` })),
    )
  }

  #list(response: ServerResponse, query: URLSearchParams): void {
    for (const name of this.unknown) query.delete(name)
    const limit = Number(query.get('per_page') ?? 10)
    const page = Number(query.get('page') ?? 1)
    const found = this.#find(query)
    const pages = Math.ceil((found?.length ?? 0) / limit)
    if (query.has('_embed') && found?.some(({ id }) => this.broken.has(id)))
      response.writeHead(500, { 'content-type': 'text/html' }).end('<p>There has been a critical error.</p>')
    else if (!found || limit > 100)
      json(response, 400, { code: 'rest_invalid_param', message: 'Invalid parameter.' })
    else if (page > 1 && page > pages) json(response, 400, { code: 'rest_post_invalid_page_number' })
    else {
      const shown = found.slice((page - 1) * limit, page * limit)
      const body = shown.map((post) => (query.has('_fields') ? this.#mark(post) : this.#full(post)))
      const totals = { 'x-wp-total': String(found.length), 'x-wp-totalpages': String(pages) }
      json(response, 200, body, totals)
    }
  }

  /** Undefined for a date that WordPress refuses. */
  #find(query: URLSearchParams): FakePost[] | undefined {
    const limits = [
      ['modified_after', 'modified'],
      ['after', 'date'],
    ] as const
    const ids = (name: string) => query.get(name)?.split(',').map(Number)
    const [include, exclude] = [ids('include'), new Set(ids('exclude'))]
    const posts = include ? include.flatMap((id) => this.posts.get(id) ?? []) : [...this.posts.values()]
    let found = this.showsAll
      ? posts.filter(({ id, status }) => status === 'publish' && !exclude.has(id))
      : []
    for (const [name, field] of limits) {
      const given = query.get(name)
      if (given === null) continue
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(given)) return undefined
      const bound = this.local(new Date(given))
      found = found.filter((post) => this.#localOf(post, field) > bound)
    }
    const by = query.get('orderby') ?? 'date'
    if (by === 'include') return found
    const keyOf = (post: FakePost) =>
      by === 'id' ? String(post.id).padStart(9, '0') : this.#localOf(post, by === 'modified' ? by : 'date')
    // Of equal times the later post comes first, as from an index that is read backwards.
    found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : b.id - a.id))
    return query.get('order') === 'asc' ? found : found.reverse()
  }

  #localOf = (post: FakePost, field: 'date' | 'modified'): string =>
    post.locals?.[field] ?? this.local(post[field])

  #one(response: ServerResponse, id: number): void {
    const post = this.posts.get(id)
    const statusOf = (status: number) => (this.wrapsErrors ? 200 : status)
    if (!post) json(response, statusOf(404), { code: 'rest_post_invalid_id', data: { status: 404 } })
    else if (post.status !== 'publish' || !this.showsAll)
      json(response, statusOf(401), { code: 'rest_forbidden', data: { status: 401 } })
    else json(response, 200, { id })
  }

  #mark(post: FakePost) {
    const { id, date, modified, password } = post
    const modified_gmt = this.tellsChanges ? gmt(modified) : null
    return {
      ...{ id, date_gmt: gmt(date), modified_gmt, link: this.linkOf(post) },
      content: { protected: password !== '' },
    }
  }

  #full(post: FakePost) {
    const { id, date, modified, password, title, html, slug, guid, category, author, excerpt } = post
    const isProtected = password !== ''
    return {
      id,
      date: this.local(date),
      date_gmt: gmt(date),
      guid: { rendered: guid },
      modified: this.local(modified),
      modified_gmt: this.tellsChanges ? gmt(modified) : null,
      slug,
      status: 'publish',
      type: 'post',
      link: this.linkOf(post),
      title: { rendered: title },
      content: { rendered: isProtected ? '' : html, protected: isProtected },
      excerpt: { rendered: excerpt || '<p>Le texte coupé [&hellip;]</p>', protected: isProtected },
      author: 3,
      comment_status: 'open',
      categories: [3],
      _embedded: {
        author: [
          author === undefined
            ? { code: 'rest_user_invalid_id', message: 'Invalid user ID.', data: { status: 404 } }
            : { id: 3, name: author, slug: 'plume' },
        ],
        'wp:term': [[{ id: 3, taxonomy: 'category', ...category }], []],
      },
    }
  }

  #feed(request: IncomingMessage, response: ServerResponse): void {
    const etag = `"${createHash('md5').update(String(this.#saved)).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end()
      return
    }
    const newest = [...this.posts.values()]
      .filter(({ status }) => status === 'publish')
      .sort((a, b) => +b.date - +a.date)
      .slice(0, 10)
    const entries = newest.map((post) => {
      const html = post.password
        ? '<form class="post-password-form"><input name="post_password"></form>'
        : post.html
      return `<entry><title type="html"><![CDATA[${post.password ? 'Protégé : ' : ''}${post.title}]]></title>
<link rel="alternate" type="text/html" href="${this.linkOf(post)}"/><id>${post.guid}</id>
<updated>${gmt(post.modified)}Z</updated><published>${gmt(post.date)}Z</published>
<content type="html"><![CDATA[${html}]]></content></entry>`
    })
    response
      .writeHead(200, { 'content-type': 'application/atom+xml; charset=UTF-8', etag })
      .end(
        `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr-FR"><title>Journal Essai</title>` +
          `<link rel="alternate" href="${this.home}"/><generator uri="https://wordpress.org/">WordPress</generator>${entries.join('')}</feed>`,
      )
  }
}

const clockOf = (timeZone: string) =>
  new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' })

const gmt = (at: Date): string => at.toISOString().slice(0, 19)

function json(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers })
    .end(JSON.stringify(body))
}

/** At a free port, until it is closed. */
export async function startWordpress(options: { now?: Date; zone?: string } = {}) {
  const site = new FakeWordpress(options)
  const server = createServer(site.listen)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  site.home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { site, close }
}

/** Runs until the test has finished. */
export async function aWordpress(options: { now?: Date; zone?: string } = {}): Promise<FakeWordpress> {
  const { site, close } = await startWordpress(options)
  onTestFinished(close)
  return site
}
