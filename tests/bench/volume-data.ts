import { aFrozenDigest } from '../support/frozen-digest.ts'
import { query } from '../support/sending-digest.ts'
import { testKeyring } from '../support/subscribers.ts'

export interface Volume {
  subscribers: number
  deliveries: number
  articles: number
}

/** The first has most of the readers, each other a sixteenth. */
const newsletters = 8
const shareOfFirst = 0.85
const digestsOfFirst = 2
const articlesOfDigest = 12
const words = `(array['port','tramway','école','marché','phare','conseil','budget','pluie','théâtre','musée','grève','récolte',
  'pont','hôpital','roman','match','dune','sel','gare','quai','réforme','énergie','pêche','loyer','juge','forêt','festival'])`
const word = (n: string) => `${words}[1 + abs(hashint4((${n})::int)) % 27]`

/** What a newsroom has after ten years, by one statement for each table; made without indexes, which stand again afterwards. */
export async function makeVolume(url: string, volume: Volume): Promise<void> {
  const indexes = await query<{ name: string; definition: string }>(
    url,
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index i
     where indrelid in ('deliveries'::regclass, 'subscribers'::regclass, 'subscriptions'::regclass, 'consents'::regclass,
       'outbox'::regclass, 'activations'::regclass, 'articles'::regclass)
       and not exists (select from pg_constraint where conindid = i.indexrelid)`,
  )
  if (indexes.length > 0) await query(url, `drop index ${indexes.map(({ name }) => name).join(', ')}`)
  for (const [table, statement] of Object.entries(statementsOf(volume)))
    await timed(table, () => fill(url, statement))
  for (const { name, definition } of indexes) await timed(name, () => fill(url, definition))
  await timed('vacuum analyze', () => query(url, 'vacuum (analyze, parallel 2)'))
}

/** Neither keys to other tables are checked nor changes counted: the numbers are made in the end, as they are kept. */
const fill = (url: string, statement: string) =>
  query(
    url,
    `set session_replication_role = replica; set maintenance_work_mem = '512MB'; set work_mem = '128MB'; ${statement}`,
  )

function statementsOf({ subscribers, deliveries, articles }: Volume): Record<string, string> {
  const [keyId = ''] = testKeyring.keyIds
  const ofFirst = digestsOfFirst * shareOfFirst * subscribers
  const otherDigests = Math.max(newsletters, Math.round((deliveries - ofFirst) / (subscribers / 16)))
  const frozen = JSON.stringify(aFrozenDigest()).replaceAll("'", "''")
  return {
    publication: `
      update publication set name = 'Le Rivage', languages = '{fr,ar,en}', postal_address = '1 quai du Phare, Port-Clair';
      insert into feed_changes (subject) values ('*')`,
    selections: `
      insert into selections (kind, slug, names)
      select kind, kind || '-' || n, jsonb_build_object('fr', kind || ' ' || n, 'ar', 'قسم ' || n)
      from (values ('section', 12), ('dossier', ${Math.min(40, Math.ceil(articles / 500))}), ('tag', 800), ('author', 150)) kinds (kind, n_of),
        generate_series(1, n_of) n order by kind = 'section' desc, kind, n`,
    newsletters: `
      insert into newsletters (slug, name, language, began_at)
      select 'lettre-' || n, 'La lettre ' || n, 'fr', now() - interval '10 years' from generate_series(1, ${newsletters}) n;
      insert into newsletter_cadences (newsletter_id, cadence, local_time, zone)
      select id, 'daily', '06:00', 'Africa/Algiers' from newsletters`,
    articles: `
      insert into articles (external_id, guid, slug, short_code, language, title, deck, summary, html, state, published_at,
        first_public_at, withdrawn_at, views_total, content_sha256, created_at, updated_at)
      select 'volume:' || n, 'urn:volume:' || n, 'article-' || n, to_hex(n),
        case when n % 10 < 7 then 'fr' when n % 10 < 9 then 'ar' else 'en' end,
        initcap(${word('n * 3')} || ' et ' || ${word('n * 5')}) || ' : ' || ${word('n * 11')} || ', n° ' || n,
        'Ce que change ' || ${word('n * 13')}, 'Un résumé de ce qui s’est passé.',
        repeat('<p>Une phrase du texte, comme il y en a dans chaque article, avec un nom et un verbe.</p>', 15),
        state, case when state <> 'draft' then at end, case when state in ('published', 'withdrawn') then at end,
        case when state = 'withdrawn' then at end, abs(hashint4(n)) % 5000, sha256(n::text::bytea), at, at
      from generate_series(1, ${articles}) n, lateral (select
        now() + (case when n % 50 = 2 then 3000 else n - ${articles} end) * interval '50 minutes' as at,
        case when n % 50 = 1 then 'draft' when n % 50 = 2 then 'scheduled' when n % 25 = 3 then 'withdrawn' else 'published' end
          as state) made;
      insert into article_slugs (slug, article_id) select slug, id from articles;
      insert into article_selections (article_id, selection_id)
      select a.id, s.id from articles a join (
        select id, kind, row_number() over (partition by kind order by id) - 1 as n, count(*) over (partition by kind) as size
        from selections) s on s.n = a.id % s.size
      where s.kind <> 'dossier' or a.id % 20 = 0`,
    views: `
      insert into article_views (article_id, date, n)
      select id, current_date - day, 1 + abs(hashint4(id::int + day)) % 300
      from (select id from articles where state = 'published' order by first_public_at desc limit 1000) a,
        generate_series(0, 29) day`,
    polls: `
      insert into feed_polls (path, date, family, full_n, not_modified_n)
      select '/sections/section-' || n || '/rss.xml', current_date - day, family, 40, 300
      from generate_series(1, 12) n, generate_series(0, 364) day,
        unnest('{feedly,newsblur,inoreader,browser,other}'::text[]) family`,
    subscribers: `
      insert into subscribers (address, address_hmac, key_id, language, created_at)
      select address, sha256(address::bytea), '${keyId}', case when n % 4 = 0 then 'ar' else 'fr' end,
        now() - (${subscribers} - n) * interval '4 minutes'
      from generate_series(1, ${subscribers}) n, lateral (select 'lecteur-' || to_hex(abs(hashint4(n))) || '-' || n || '@'
        || case when n % 10 < 4 then 'courriel' when n % 10 < 7 then 'boite' else 'domaine-' || n % 500 end
        || '.example' as address) made`,
    subscriptions: `
      insert into subscriptions (subscriber_id, newsletter_id, state, ended_reason, cadence, sections, created_at, activated_at,
        ended_at)
      select p.id, l.id, made.state, case when made.state = 'ended' then 'unsubscribed' end, 'daily',
        case when p.id % 2 = 0 then '{}' else array[1 + p.id % 12, 1 + p.id / 12 % 11] end, p.created_at,
        case when made.state <> 'pending' then p.created_at end, case when made.state = 'ended' then p.created_at + interval '9 days' end
      from newsletters l, subscribers p, lateral (select
        case when p.id % 33 = 1 then 'pending' when p.id % 14 = 2 then 'ended' else 'active' end as state) made
      where case when l.id = 1 then p.id % 20 < ${20 * shareOfFirst} else p.id % 16 = l.id end
      order by p.id, l.id`,
    consents: `
      insert into consents (at, event, subscriber_id, newsletter_id, form, method, ip_prefix, policy_version)
      select coalesce(ended_at, created_at), case when state = 'ended' then 'ended' when state = 'pending' then 'requested'
        else 'activated' end, subscriber_id, newsletter_id, 'page', 'button', '192.0.2.0/24', '1'
      from subscriptions`,
    requests: `
      insert into activations (address, limit_hmac, key_id, language, wanted, form, created_at, decided_at, decision, expires_at,
        mailed_at, activated_at, method)
      select address, address_hmac, key_id, language, '{}', 'page', at, at, 'mailed', at + interval '7 days', at, at, 'button'
      from subscribers, lateral (select now() - id % 80 * interval '1 day' as at) times where id % 3 = 0;
      insert into outbox (kind, activation_id, subscriber_id, address, language, state, attempt, accepted_at, smtp_answer,
        created_at)
      select 'activation', a.id, p.id, a.address, a.language, 'accepted', 1, a.created_at, '250 2.0.0 Ok: queued as 4ab',
        a.created_at
      from activations a join subscribers p on p.address_hmac = a.limit_hmac`,
    digests: `
      insert into digests (newsletter_id, cadence, state, version, subject, pinned, frozen, frozen_at, content_sha256, audience,
        created_at, started_at, completed_at, expires_at)
      select letter, 'daily', case when letter = 1 and day = 2 then 'completed_with_uncertain' else 'completed' end, 3,
        'Le port et le tramway', '{}', '${frozen}', at, sha256(letter::text::bytea), 0, at, at, at + interval '20 minutes',
        at + interval '1 day'
      from (
        select 1 as letter, day from generate_series(1, ${digestsOfFirst}) day
        union all
        select 2 + n % ${newsletters - 1}, 1 + n / ${newsletters - 1} from generate_series(0, ${otherDigests - 1}) n
      ) planned, lateral (select now() - day * interval '1 day' - interval '2 hours' as at) times order by day desc, letter;
      update digests set content_sha256 = sha256(id::text::bytea),
        frozen = jsonb_set(jsonb_set(frozen, '{digestId}', to_jsonb(id)), '{newsletter,slug}',
          to_jsonb('lettre-' || newsletter_id));
      insert into digest_articles (digest_id, article_id, position, snapshot)
      select d.id, a.id, row_number() over (partition by d.id order by a.id desc) - 1,
        jsonb_set(d.frozen #> '{articles,0}', '{id}', to_jsonb(a.id))
      from digests d, lateral (
        select id from articles a where a.state = 'published' and a.language = 'fr' and a.first_public_at < d.started_at
        order by a.first_public_at desc limit ${articlesOfDigest}) a;
      insert into variants (digest_id, article_ids)
      select digest_id, (array_agg(article_id order by position))[1:${articlesOfDigest} - cut]
      from digest_articles, generate_series(0, 6, 2) cut group by digest_id, cut`,
    deliveries: `
      insert into deliveries (digest_id, subscriber_id, variant_id, state, reason, attempt, accepted_at, smtp_answer)
      select d.id, s.subscriber_id, v.ids[1 + s.subscriber_id % 4], made.state,
        case made.state when 'skipped' then 'nothing_new' when 'expired' then 'expired' end, 1,
        case when made.state = 'accepted' then d.started_at + (s.subscriber_id % 1200) * interval '1 second' end,
        case made.state when 'accepted' then '250 2.0.0 Ok: queued as ' || to_hex(s.subscriber_id)
          when 'rejected' then '550 5.1.1 no such user' end
      from digests d
      join lateral (select array_agg(id order by id) as ids from variants where digest_id = d.id) v on true
      join subscriptions s on s.newsletter_id = d.newsletter_id and s.state <> 'pending', lateral (select case
        when s.subscriber_id % 1000 < 10 then 'rejected' when s.subscriber_id % 1000 < 15 then 'skipped'
        when s.subscriber_id % 1000 = 15 then 'expired'
        when s.subscriber_id % 1000 = 16 and d.state = 'completed_with_uncertain' then 'uncertain'
        else 'accepted' end as state) made
      order by d.id, s.subscriber_id`,
    trouble: `
      insert into bounces (at, subscriber_id, digest_id, source, class, status, domain, smtp_answer)
      select started_at, subscriber_id, d.id, 'smtp', 'dead', '5.1.1', split_part(address, '@', 2), smtp_answer
      from deliveries e join digests d on d.id = e.digest_id join subscribers p on p.id = e.subscriber_id
      where e.state = 'rejected';
      insert into suppressions (address_hmac, key_id, reason)
      select address_hmac, key_id, 'bounced' from subscribers where id % 100 = 3;
      insert into audit (at, actor, action, subject)
      select now() - n * interval '1 hour', 'cli', 'article.updated', 'article:' || n from generate_series(1, ${articles} / 2) n`,
    numbers: `
      update digests d set audience = n from (select digest_id, count(*) as n from deliveries group by 1) e where digest_id = d.id;
      update variants v set readers = n from (select variant_id, count(*) as n from deliveries group by 1) e
      where variant_id = v.id`,
    counters: `
      insert into delivery_counts (digest_id, state, day, n)
      select digest_id, state, (accepted_at at time zone (select zone from publication))::date, count(*)
      from deliveries group by 1, 2, 3;
      insert into reader_counts (newsletter_id, n)
      select newsletter_id, count(*) from subscriptions where state = 'active' group by 1;
      insert into article_totals (article_id, n) select id, views_total from articles where views_total > 0`,
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const result = await work()
  const seconds = (performance.now() - startedAt) / 1000
  if (seconds > 1) console.log(`${what.padEnd(28)} ${seconds.toFixed(1)} s`)
  return result
}
