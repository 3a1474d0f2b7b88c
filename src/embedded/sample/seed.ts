import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Context } from '../../context.ts'
import { findAddress, hashAddress } from '../../domain/address.ts'
import { dateIn } from '../../domain/publication.ts'
import { articleInput, type ArticleInput } from '../../services/article-input.ts'
import { arabicArticles } from './articles-ar.ts'
import { frenchArticles } from './articles-fr.ts'
import { sampleNewsletters, samplePublication, sampleSelections } from './newsroom.ts'
import { sampleReaders, sampleResponses, type SampleReader } from './readers.ts'
import type { SampleArticle } from './sample-article.ts'

const system = { kind: 'system', role: 'admin' } as const
const pictures = fileURLToPath(new URL('../../../templates/assets/sample/', import.meta.url))
const hour = 3_600_000

/**
 * Fills an empty installation with an invented newspaper: articles of the last days, newsletters, readers, and a draft
 * digest that waits on the desk. Does nothing where there are articles already; true where it did.
 */
export async function seedSampleNewsroom(context: Context): Promise<boolean> {
  const { services, database } = context
  const known = await services.articles.list({ limit: 1, after: undefined })
  if (known.data.length > 0) return false
  await services.publication.set(samplePublication, system)
  await seedSelections(context)
  const now = new Date()
  await seedArticles(context, now)
  await seedResponses(context, now)
  await seedNewsletters(context, now)
  for (const reader of sampleReaders) await seedReader(context, reader)
  for (const { slug } of await database.stores.newsletters.list()) await services.digests.listNext(slug)
  return true
}

async function seedSelections({ services }: Context): Promise<void> {
  for (const [position, { kind, slug, names, descriptions }] of sampleSelections.entries()) {
    await services.selections.create(kind, { slug, names, position })
    if (descriptions) await services.selections.change(kind, slug, { descriptions })
  }
}

async function seedArticles({ services, database, config }: Context, now: Date): Promise<void> {
  const batch = [...frenchArticles, ...arabicArticles].map((article) => ({
    externalId: article.externalId,
    input: articleInput.parse(toInput(article, now, config.publicUrl)),
    // As from an archive: they became public when they were published, not now.
    origin: { baseUrl: config.publicUrl },
  }))
  for (const result of await services.articles.putBatch(batch)) {
    if ('error' in result) throw result.error
  }
  await services.articles.endImport()
  const today = dateIn(samplePublication.zone ?? 'UTC', now)
  for (const { externalId, views } of [...frenchArticles, ...arabicArticles]) {
    const { slug } = await services.articles.get(externalId)
    await database.stores.articleViews.insert(slug, today, views.today)
  }
}

function toInput(article: SampleArticle, now: Date, publicUrl: string): ArticleInput {
  const isFrench = frenchArticles.includes(article)
  const typeset = isFrench ? withFrenchSpaces : (text: string) => text
  return {
    title: typeset(article.title),
    deck: typeset(article.deck),
    html: typeset(article.html),
    language: isFrench ? 'fr' : 'ar',
    sections: article.sections,
    dossiers: article.dossiers ?? [],
    tags: article.tags ?? [],
    authors: article.authors,
    responses: article.responses,
    publishedAt: new Date(now.getTime() - article.hoursAgo * hour).toISOString(),
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

/** French sets a space that must not break before : ; ! ? » and after «. */
const withFrenchSpaces = (text: string): string =>
  text.replace(/ ([:;!?»])/g, '\u00a0$1').replace(/« /g, '«\u00a0')

async function seedResponses({ services }: Context, now: Date): Promise<void> {
  for (const [index, { article, hoursAgo, html, ...response }] of sampleResponses.entries()) {
    await services.responses.put(article, `response-${index + 1}`, {
      ...response,
      html: withFrenchSpaces(html),
      publishedAt: new Date(now.getTime() - hoursAgo * hour).toISOString(),
    })
  }
}

async function seedNewsletters({ database }: Context, now: Date): Promise<void> {
  // Older than its articles, so that the first digest has something to say.
  const beganAt = new Date(now.getTime() - 365 * 24 * hour)
  for (const [position, newsletter] of sampleNewsletters.entries()) {
    await database.stores.newsletters.insert({
      ...newsletter,
      sections: [],
      dossiers: [],
      tags: [],
      minArticles: 1,
      subject: undefined,
      approval: 'none',
      from: undefined,
      template: 'digest',
      position,
      beganAt,
    })
  }
}

async function seedReader({ database, keyring }: Context, reader: SampleReader): Promise<void> {
  const address = `${reader.name}@reader.example`
  const [hash] = hashAddress(keyring, findAddress(address) ?? { text: address })
  if (!hash) throw new Error('a keyring has a key')
  await database.transaction(async (stores) => {
    const subscriber = await stores.subscribers.put({ address, hash, language: reader.language })
    for (const { newsletter, cadence, alerts = false, sections = [] } of reader.subscriptions) {
      const { id } = await stores.newsletters.getBySlug(newsletter)
      await stores.subscriptions.activate(
        { subscriberId: subscriber.id, newsletterId: id },
        { cadence, alerts, sections },
        new Date(),
      )
    }
  })
}
