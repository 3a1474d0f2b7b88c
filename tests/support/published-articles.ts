import { query } from './sending-digest.ts'

let made = 0

export async function aPublished(
  url: string,
  wish: {
    externalId?: string
    title?: string
    sections?: string[]
    firstPublicAt?: Date
    language?: string
    state?: string
  } = {},
): Promise<number> {
  made += 1
  const externalId = wish.externalId ?? `article-${made}`
  const at = wish.firstPublicAt ?? new Date(Date.now() - 60_000 + made)
  const [row] = await query<{ id: string }>(
    url,
    `insert into articles (external_id, guid, slug, short_code, language, title, summary, html, state, published_at, first_public_at, content_sha256)
    values ($1,$1,$1,$1,$2,$3,'Résumé','<p>x</p>',$4,$5,$5,'\\x00') returning id`,
    [
      externalId,
      wish.language ?? 'fr',
      wish.title ?? `Le phare se rallume (${made})`,
      wish.state ?? 'published',
      at,
    ],
  )
  for (const slug of wish.sections ?? ['a-la-une']) {
    await query(
      url,
      `with s as (insert into selections (kind, slug, names) values ('section',$1, jsonb_build_object('fr',$1::text)) on conflict (kind, slug) do update set slug=excluded.slug returning id)
      insert into article_selections (article_id, selection_id) select $2, id from s`,
      [slug, row?.id],
    )
  }
  return Number(row?.id)
}
