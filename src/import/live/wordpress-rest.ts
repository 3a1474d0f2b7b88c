import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { SiteFault, type ItemMark, type Site, type WordpressReader } from '../../services/sources/site.ts'
import type { LanguageHome } from '../../store/sources/sources.ts'
import { readJson } from '../json.ts'
import { readPost, toDate } from './rest-post.ts'
import type { ServerAnswer } from '../fetch-public.ts'
import { faultOf, type SiteClient } from './site-client.ts'

const pageSize = 100
const markFields = 'id,date_gmt,modified_gmt,link,content.protected'
const embeds = 'author,wp:term,wp:featuredmedia'

const root = z.object({
  name: z.string().catch(''),
  home: z.url({ protocol: /^https?$/ }),
  namespaces: z.array(z.string()),
  show_on_front: z.unknown().optional(),
  page_on_front: z.unknown().optional(),
  page_for_posts: z.unknown().optional(),
})
/** An error that a plugin puts in the place of a post stops no other; where nothing but that comes, it is no list. */
const listOf = <T extends object>(entry: z.ZodType<T>) =>
  z
    .array(entry.optional().catch(undefined))
    .refine((all) => all.length === 0 || all.some(Boolean))
    .transform((all) => all.flatMap<T>((one) => one ?? []))

const marks = listOf(
  z.object({
    id: z.int().positive(),
    date_gmt: z.string().nullish(),
    modified_gmt: z.string().nullish(),
    link: z.string().optional().catch(undefined),
    content: z.object({ protected: z.boolean() }).optional(),
  }),
)
const languages = z.array(
  z.object({
    slug: z.string(),
    w3c: z.string().optional(),
    home_url: z.url(),
    is_default: z.boolean().optional(),
  }),
)
const refusal = z.object({ code: z.string() })
const codeOf = (body: unknown): string => refusal.safeParse(body).data?.code ?? ''

/** What the site itself says of a post that is in the trash, private, a draft or deleted. */
const goneCodes = new Set(['rest_forbidden', 'rest_post_invalid_id'])

type Api = Pick<Site, 'url' | 'bypassCaches'>

/** The public REST API of WordPress 5.7 and later. */
export function createWordpressReader(visit: SiteClient['visit']): WordpressReader {
  const ask = async (site: Api, path: string, params: Record<string, string>) => {
    const fresh = site.bypassCaches ? { _: String(Date.now()) } : undefined
    const answer = await visit(endpoint(site.url, path, { ...params, ...fresh }), {
      accept: 'application/json',
    })
    return { answer, body: readJson(answer.body) }
  }

  const get = async <T>(site: Api, path: string, params: Record<string, string>, schema: z.ZodType<T>) => {
    const { answer, body } = await ask(site, path, params)
    return check(answer, body, schema)
  }

  const askForList = (site: Site, params: Record<string, string>) => {
    const since = site.since && { after: toParam(site.since, -1) }
    const shared = { per_page: String(pageSize), _fields: markFields, ...since }
    return ask(site, 'wp/v2/posts', { ...shared, ...params })
  }

  const list = async (site: Site, params: Record<string, string>): Promise<ItemMark[]> => {
    const { answer, body } = await askForList(site, params)
    return check(answer, body, marks).map(toMark)
  }

  return {
    async identify(site) {
      const fields = 'name,home,namespaces,show_on_front,page_on_front,page_for_posts'
      const { name, home, namespaces, ...front } = await get(site, '', { _fields: fields }, root)
      const known = namespaces.includes('pll/v1') ? await get(site, 'pll/v1/languages', {}, languages) : []
      const homes = known.map(({ slug, w3c, home_url }) => ({ home: home_url, language: w3c ?? slug }))
      return { name, home, homes: toldApart(homes), face: JSON.stringify([homes, front]) }
    },

    listChanged: (site, since, except) =>
      list(site, {
        orderby: 'modified',
        order: 'asc',
        modified_after: toParam(since, -1),
        ...(except.length > 0 && { exclude: except.join() }),
      }),

    async listNewest(site, by) {
      const { answer, body } = await askForList(site, { orderby: by, order: 'desc' })
      const newest = check(answer, body, marks).map(toMark)
      // Some sites give fewer than they are asked for.
      const total = Number(answer.header('x-wp-total') ?? newest.length)
      return { newest, isAll: newest.length < pageSize && total <= newest.length }
    },

    async listPage(site, page) {
      const { answer, body } = await askForList(site, { orderby: 'id', order: 'asc', page: String(page) })
      // Behind the last page there is no empty one.
      if (codeOf(body) === 'rest_post_invalid_page_number') return []
      return check(answer, body, marks).map(toMark)
    },

    // What was taken before the source began later, too.
    listPublic: (site, ids) =>
      list({ ...site, since: undefined }, { include: ids.join(), orderby: 'include' }),

    async isGone(site, id) {
      const { answer, body } = await ask(site, `wp/v2/posts/${id}`, { _fields: 'id' })
      // Some plugins answer 200 with an error in it.
      if (goneCodes.has(codeOf(body))) return true
      if (answer.status === 200) return false
      throw faultOf(answer, 'closed')
    },

    async read(site, ids, context) {
      const params = { include: ids.join(), orderby: 'include', per_page: String(ids.length), _embed: embeds }
      const posts = await get(site, 'wp/v2/posts', params, listOf(z.looseObject({ id: z.int() })))
      return Array.fromAsync(posts, async (post) => {
        // Posts may be long, and other work waits.
        await setImmediate()
        return readPost(post, site, context)
      })
    },
  }
}

/** A page to sign in at, a notice of an outage: nothing of that says what the site holds. */
function check<T>(answer: ServerAnswer, body: unknown, schema: z.ZodType<T>): T {
  if (answer.status !== 200) throw faultOf(answer, 'closed')
  const read = schema.safeParse(body)
  if (!read.success) throw new SiteFault('unreadable', { cause: read.error })
  return read.data
}

const toMark = (one: z.infer<typeof marks>[number]): ItemMark => ({
  remoteId: String(one.id),
  publishedAt: toDate(one.date_gmt),
  modifiedAt: toDate(one.modified_gmt),
  isProtected: one.content?.protected ?? false,
  link: URL.parse(one.link ?? '')?.href,
})

function endpoint(rootUrl: string, path: string, params: Record<string, string>): string {
  const url = new URL(rootUrl)
  // Without permalinks the whole API hangs on one parameter.
  if (url.searchParams.has('rest_route')) url.searchParams.set('rest_route', `/${path}`)
  else url.pathname = url.pathname.replace(/(?<!\/)\/*$/, `/${path}`)
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  return url.href
}

/** WordPress compares strictly, in seconds; a time without a zone would be the site's own. */
const toParam = (at: Date, moreSeconds: number): string =>
  new Date(Math.floor(at.getTime() / 1000 + moreSeconds) * 1000).toISOString().replace('.000', '')

/** Languages that begin at one address are not told apart by it. */
const toldApart = (homes: LanguageHome[]): LanguageHome[] =>
  homes.length === new Set(homes.map(({ home }) => home)).size ? homes : []
