import pg from 'pg'
import { noCounts, type DeliveryCounts } from '../../src/domain/digests/digest.ts'
import type { Database } from '../../src/store/database.ts'

/** Rows of one statement; bigint and numeric as numbers. */
export async function query<Row>(
  databaseUrl: string,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query(statement, values)).rows as Row[]
  } finally {
    await client.end()
  }
}

interface SendingDigest {
  digestId: number
  newsletterId: number
}

interface SendingDigestOptions {
  readers: number
  policy?: 'resend_once' | 'hold'
  slug?: string
}

/** A digest in `sending` with a pending delivery for each of its active readers, `reader-1@reader.example` and on. */
export async function aSendingDigest(
  databaseUrl: string,
  options: SendingDigestOptions,
): Promise<SendingDigest> {
  const { readers, policy = 'resend_once', slug = 'le-matin' } = options
  const [ids] = await query<{ digest_id: string; newsletter_id: string }>(
    databaseUrl,
    `with named as (
      insert into publication (name, languages, desk_name, ambiguous_policy)
      values ('Le Rivage', '{fr,ar}', 'La rédaction', '${policy}')
      on conflict (only_row) do update set ambiguous_policy = excluded.ambiguous_policy
    ), newsletter as (
      insert into newsletters (slug, name, language) values ('${slug}', 'Le matin', 'fr') returning id
    ), digest as (
      insert into digests (newsletter_id, cadence, state, audience, started_at, expires_at)
      select id, 'daily', 'sending', ${readers}, now(), now() + interval '1 day' from newsletter returning id
    ), readers as (
      insert into subscribers (address, language)
      select 'reader-' || n || '@reader.example', 'fr' from generate_series(1, ${readers}) n
      returning id
    ), subscribed as (
      insert into subscriptions (subscriber_id, newsletter_id, state, cadence)
      select readers.id, newsletter.id, 'active', 'daily' from readers, newsletter
    ), variant as (
      insert into variants (digest_id, article_ids, readers) select id, '{1}', ${readers} from digest returning id
    ), prepared as (
      insert into deliveries (digest_id, subscriber_id, variant_id)
      select digest.id, readers.id, variant.id from digest, readers, variant
    )
    select digest.id as digest_id, newsletter.id as newsletter_id from digest, newsletter`,
  )
  if (!ids) throw new Error('the digest was not made')
  return { digestId: Number(ids.digest_id), newsletterId: Number(ids.newsletter_id) }
}

/** All nine states, as the desk counts them. */
export const countByState = async (
  { stores }: Pick<Database, 'stores'>,
  digestId: number,
): Promise<DeliveryCounts> =>
  (await stores.digestProgress.countByState([digestId])).get(digestId) ?? noCounts()
