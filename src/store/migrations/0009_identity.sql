alter table articles
  -- When it last changed at its source, as the source says; null where that is not known.
  add column remote_modified_at timestamptz,
  -- What brought its text: 3 an export or REST, 2 Atom, 1 RSS; null for the API, and for imports of earlier versions.
  add column remote_rank smallint,
  -- The desk or the API has corrected what a source brought: no source writes its text any more.
  add column held_at timestamptz;

-- Under which other names an article came, or came to be known by a merge: each leads to it for ever.
create table article_aliases (
  id bigint generated always as identity primary key,
  article_id bigint not null references articles on delete cascade,
  external_id text unique,
  -- A guid that its source gave it, and that another article had already or has still.
  guid text,
  short_code text unique,
  old_path text,
  created_at timestamptz not null default now(),
  check (num_nonnulls(external_id, guid, short_code, old_path) > 0)
);
create index article_aliases_article on article_aliases (article_id);
create index article_aliases_guid on article_aliases (guid) where guid is not null;
create index article_aliases_old_address on article_aliases (lower(rtrim(old_path, '/'))) where old_path is not null;

-- Two addresses of one page: http or https, with www. and without, with a slash at the end and without.
create index articles_folded_guid on articles ((lower(rtrim(regexp_replace(guid, '^https?://(www\.)?', ''), '/'))))
  where guid like 'http%';
create index articles_folded_url on articles ((lower(rtrim(regexp_replace(canonical_url, '^https?://(www\.)?', ''), '/'))))
  where canonical_url is not null;
create index article_aliases_wordpress_post on article_aliases ((substring(external_id from '^wp:.*:([0-9]+)$')))
  where external_id like 'wp:%';
