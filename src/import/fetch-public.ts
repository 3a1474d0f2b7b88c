import { lookup as lookupAll, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, fetch as undiciFetch, type Dispatcher } from 'undici'
import { DomainError, invalid } from '../errors.ts'

export interface FetchLimits {
  seconds: number
  bytes: number
  redirects: number
}

const MB = 1024 * 1024

/** What one GET may take, by what is asked for. */
export const fetchLimits = {
  import: { seconds: 5, bytes: 5 * MB, redirects: 3 },
  /** Of a site that is followed. */
  site: { seconds: 20, bytes: 10 * MB, redirects: 3 },
  /** Of one that sent a trackback. */
  page: { seconds: 10, bytes: MB, redirects: 3 },
  /** For a PDF. */
  picture: { seconds: 5, bytes: 5 * MB, redirects: 3 },
  /** Amazon's certificates and confirmations. */
  provider: { seconds: 10, bytes: MB / 16, redirects: 0 },
} satisfies Record<string, FetchLimits>

type Resolve = (name: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void

interface FetchOptions {
  /** Tests answer names themselves; the rule for addresses is the same. */
  resolve?: Resolve
  /** Which addresses a host may have; without, public ones alone. */
  isAllowed?: (address: string, host: string) => boolean
  limits?: FetchLimits
  headers?: Record<string, string>
}

/** What a server has answered, whatever its status. */
export type ServerAnswer = Awaited<ReturnType<typeof follow>>

/**
 * GET of a URL that a person gave us. Only public addresses are ever connected to: the name is resolved once, every
 * address judged, and the connection made to the one that was judged, so that a name that changes its mind cannot
 * lead inside. Redirects follow the same rule; for an import 3 of them, 5 seconds and 5 MB in all.
 * @throws DomainError `address_refused`, `fetch_failed`, `fetch_too_large`
 */
export async function fetchPublic(url: string, options: FetchOptions = {}) {
  const answer = await visit(url, options)
  if (answer.status < 200 || answer.status > 299) throw failed(`The server answers ${answer.status}.`)
  return { url: answer.url, body: answer.body, charset: charsetOf(answer) }
}

/** What a server says of its bytes. */
export const charsetOf = ({ header }: Pick<ServerAnswer, 'header'>): string | undefined =>
  /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(header('content-type') ?? '')?.[1]

/**
 * GET under the same rules, of a URL that answers as it likes.
 * @throws DomainError `address_refused`, `fetch_failed`, `fetch_too_large`
 */
export const visit = (url: string, options: FetchOptions = {}): Promise<ServerAnswer> =>
  travel(url, 'GET', options)

/**
 * The short link that a page names in its headers, by HEAD under the same rules: WordPress tells the number of a post
 * so. Undefined where it names none, or does not answer.
 */
export async function findShortlink(url: string, options: FetchOptions = {}): Promise<string | undefined> {
  const answer = await travel(url, 'HEAD', options).catch(() => undefined)
  if (!answer || answer.status > 299) return undefined
  return /<([^<>]+)>\s*;\s*rel=["']?shortlink\b/i.exec(answer.header('link') ?? '')?.[1]
}

async function travel(url: string, method: 'GET' | 'HEAD', options: FetchOptions): Promise<ServerAnswer> {
  const { isAllowed = isPublicAddress, headers = {} } = options
  const limits = options.limits ?? fetchLimits.import
  const timeoutMs = limits.seconds * 1_000
  const dispatcher = new Agent({
    connect: { lookup: guardedLookup(options.resolve ?? resolveByDns, isAllowed), timeout: timeoutMs },
  })
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    return await follow(url, { method, headers, dispatcher, isAllowed, limits, signal })
  } catch (error) {
    throw toSentence(error, limits)
  } finally {
    await dispatcher.destroy()
  }
}

interface Journey extends Required<Omit<FetchOptions, 'resolve'>> {
  method: 'GET' | 'HEAD'
  dispatcher: Dispatcher
  signal: AbortSignal
}

const feedTypes = 'application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5'

async function follow(start: string, journey: Journey) {
  const { method, headers, dispatcher, isAllowed, limits, signal } = journey
  let url = start
  for (let hop = 0; hop <= limits.redirects; hop += 1) {
    const target = checkUrl(url, isAllowed)
    const response = await undiciFetch(target, {
      method,
      dispatcher,
      signal,
      redirect: 'manual',
      headers: { accept: feedTypes, ...headers },
    })
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel()
      // Headers are read as Latin-1; some servers write what is not ASCII in UTF-8, as a path would have it.
      url = new URL(Buffer.from(location, 'latin1').toString(), target).href
      continue
    }
    return {
      /** After redirects. */
      url: target.href,
      status: response.status,
      header: (name: string) => response.headers.get(name) ?? undefined,
      body: await readBody(response.body ?? [], limits),
    }
  }
  throw failed(`It redirects more than ${limits.redirects} times.`)
}

/** A literal address is never looked up, so it is judged here; the URL parser has made `0x7f.1` a plain one. */
function checkUrl(text: string, isAllowed: Journey['isAllowed']): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw failed('It is not an http or https URL.')
  if (url.username !== '' || url.password !== '') throw failed('It carries a user name; leave that out.')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isAllowed(host, host)) throw refused()
  return url
}

async function readBody(body: AsyncIterable<unknown> | Iterable<unknown>, { bytes: max }: FetchLimits) {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    // Counted as it is unpacked: a small gzip may hold a large document.
    if (size > max) {
      const limit = max < 1024 * 1024 ? `${max / 1024} kB` : `${max / 1024 / 1024} MB`
      throw invalid('fetch_too_large', `What the URL answers is larger than ${limit}.`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

const resolveByDns: Resolve = (name, done) => {
  lookupAll(name, { all: true, order: 'verbatim' }, done)
}

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/** All addresses of a name must be public: one inside address among them is reason enough to stay away. */
const guardedLookup =
  (resolve: Resolve, isAllowed: Journey['isAllowed']) =>
  (name: string, options: LookupOptions, done: LookupDone): void => {
    resolve(name, (error, addresses) => {
      // Node hands nothing over beside an error.
      const [first] = error ? [] : addresses
      if (error || !first) done(error ?? new Error('no address'), '')
      else if (!addresses.every(({ address }) => isAllowed(address, name))) done(refused(), '')
      else if (options.all) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }

const globalUnicast = ipaddr.IPv6.parse('2000::')

/** Global unicast alone; a v4-mapped address is judged as the IPv4 address it is, and one that tunnels to another (NAT64, 6to4, Teredo) is refused. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv6) {
    if (parsed.isIPv4MappedAddress()) return isPublicAddress(parsed.toIPv4Address().toString())
    return parsed.range() === 'unicast' && parsed.match(globalUnicast, 3)
  }
  return parsed.range() === 'unicast'
}

const refused = () =>
  invalid(
    'address_refused',
    'This URL leads to an address that is not public; we read the open internet alone.',
  )

const failed = (why: string, cause?: unknown) =>
  invalid('fetch_failed', `The URL cannot be read. ${why}`, cause === undefined ? {} : { cause })

function toSentence(error: unknown, { seconds }: FetchLimits): DomainError {
  if (error instanceof DomainError) return error
  const cause = (error as { cause?: unknown }).cause
  if (cause instanceof DomainError) return cause
  if ((error as { name?: unknown }).name === 'TimeoutError')
    return failed(`It took longer than ${seconds} seconds.`, error)
  return failed('The server does not answer; check the address.', error)
}
