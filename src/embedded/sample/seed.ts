import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dateIn } from '../../domain/calendar.ts'
import type { Context } from '../../context.ts'
import { findAddress, hashAddress } from '../../domain/subscribers/address.ts'
import type { Keyring } from '../../domain/keyring.ts'
import { withFrenchSpaces } from '../../locales.ts'
import { articleInput, type ArticleInput } from '../../services/articles/input.ts'
import type { Stores } from '../../store/stores.ts'
import {
  sampleArticles,
  sampleNewsroom,
  sampleResponses,
  type SampleArticle,
  type SampleReader,
} from './content.ts'
import { dayMs, hourMs } from '../../domain/time.ts'

const system = { kind: 'system', role: 'admin' } as const
const pictures = fileURLToPath(new URL('../../../templates/assets/sample/', import.meta.url))

/**
 * Fills an empty installation with an invented newspaper: articles of the last days, newsletters, readers, and a draft
 * digest that waits on the desk. A start that was killed half way is completed by the next.
 * False, and nothing done, where there are newsletters or somebody's own articles.
 */
export async function seedSampleNewsroom(context: Context): Promise<boolean> {
  const { services, database } = context
  if (!(await isEmpty(context))) return false
  await services.publication.set(sampleNewsroom.publication, system)
  await seedSelections(context)
  const now = new Date()
  await seedArticles(context, now)
  await seedResponses(context, now)
  await seedSubscriptions(context, now)
  for (const { slug } of await database.stores.newsletters.list()) await services.digests.listNext(slug)
  return true
}

async function isEmpty({ services, database }: Context): Promise<boolean> {
  const { data } = await services.articles.list({ limit: 1, after: undefined })
  const isOurs = data.every(({ externalId }) => externalId.startsWith('rivage-'))
  return isOurs && (await database.stores.newsletters.list()).length === 0
}

async function seedSelections({ database }: Context): Promise<void> {
  const { selections } = database.stores
  for (const [position, { kind, slug, names, descriptions }] of sampleNewsroom.selections.entries()) {
    const created = await selections.insert({ kind, slug, names, position })
    if (created && descriptions) await selections.update(created.id, { descriptions })
  }
}

async function seedArticles({ services, database, config }: Context, now: Date): Promise<void> {
  const oldestFirst = [...sampleArticles.fr, ...sampleArticles.ar].sort((a, b) => b.hoursAgo - a.hoursAgo)
  const batch = oldestFirst.map((article) => ({
    externalId: article.externalId,
    input: articleInput.parse(toInput(article, now, config.publicUrl)),
    // As from an archive: they became public when they were published, not now.
    origin: { baseUrl: config.publicUrl },
  }))
  for (const result of await services.articles.putBatch(batch)) {
    if ('error' in result) throw result.error
  }
  await services.articles.endImport()
  const today = dateIn(sampleNewsroom.publication.zone ?? 'UTC', now)
  for (const { externalId, views } of oldestFirst) {
    const { slug } = await services.articles.get(externalId)
    await database.stores.articleViews.insert(slug, today, views.today)
  }
}

function toInput(article: SampleArticle, now: Date, publicUrl: string): ArticleInput {
  const isFrench = sampleArticles.fr.includes(article)
  const typeset = isFrench ? withFrenchSpaces : (text: string) => text
  return {
    title: typeset(article.title),
    deck: typeset(article.deck),
    html: typeset(article.html.join('\n')),
    language: isFrench ? 'fr' : 'ar',
    sections: article.sections,
    dossiers: article.dossiers ?? [],
    tags: article.tags ?? [],
    authors: article.authors,
    responses: article.responses,
    publishedAt: new Date(now.getTime() - article.hoursAgo * hourMs).toISOString(),
    viewsTotal: article.views.before,
    ...(article.picture && { picture: toPicture(article.picture, publicUrl) }),
  }
}

const toPicture = (
  { name, alt, credit }: NonNullable<SampleArticle['picture']>,
  publicUrl: string,
): NonNullable<ArticleInput['picture']> => ({
  url: `${publicUrl}/assets/sample/${name}.jpg`,
  alt,
  credit,
  type: 'image/jpeg',
  width: 1200,
  height: 675,
  length: statSync(`${pictures}${name}.jpg`).size,
})

async function seedResponses({ services }: Context, now: Date): Promise<void> {
  for (const [index, { article, hoursAgo, html, ...response }] of sampleResponses.entries()) {
    await services.responses.put(article, `response-${index + 1}`, {
      ...response,
      html: withFrenchSpaces(html),
      publishedAt: new Date(now.getTime() - hoursAgo * hourMs).toISOString(),
    })
  }
}

/** The last step, whole or not at all: newsletters tell that the newsroom is complete. */
async function seedSubscriptions({ database, keyring }: Context, now: Date): Promise<void> {
  await database.transaction(async (stores) => {
    // Older than its articles, so that the first digest has something to say.
    const beganAt = new Date(now.getTime() - 365 * dayMs)
    for (const [position, newsletter] of sampleNewsroom.newsletters.entries()) {
      await stores.newsletters.insert({ ...newsletter, ...plain, position, beganAt })
    }
    for (const reader of sampleNewsroom.readers) await seedReader(stores, reader, keyring)
  })
}

const plain = {
  sections: [] as string[],
  dossiers: [] as string[],
  tags: [] as string[],
  minArticles: 1,
  subject: null,
  approval: 'none',
  from: null,
  replyTo: null,
  welcome: null,
  template: 'digest',
  linkTags: false,
  state: 'public',
} as const

async function seedReader(stores: Stores, reader: SampleReader, keyring: Keyring): Promise<void> {
  const address = `${reader.name}@reader.example`
  const [hash] = hashAddress(keyring, findAddress(address) ?? { text: address })
  const subscriber = await stores.subscribers.put({ address, hash, language: reader.language })
  for (const { newsletter, cadence, alerts = false, sections = [] } of reader.subscriptions) {
    const { id } = await stores.newsletters.getBySlug(newsletter)
    const key = { subscriberId: subscriber.id, newsletterId: id }
    await stores.subscriptions.activate(key, { cadence, alerts, sections }, new Date())
    await stores.consents.insert({
      event: 'imported',
      newsletterIds: [id],
      subscriberId: subscriber.id,
      method: 'import',
      basis: 'sample newsroom',
    })
  }
}
