-- A site whose articles arrive by themselves.
create table sources (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('wordpress', 'feed')),
  -- Of a WordPress the root of its REST API, else the feed.
  url text not null unique,
  home text not null,
  name text not null,
  -- Sites of one host are asked one after the other.
  host text not null,
  -- In the address that it rings at.
  token text not null unique,
  -- Of everything it brings; null: each item says its own.
  language text,
  -- What the site says of itself.
  site_language text not null default '',
  -- Of a site in several languages: where each begins, [{"home", "language"}].
  homes jsonb not null default '[]',
  -- What tells the site from another one that answers at its address.
  face text not null default '',
  -- Nothing that the site dates earlier is taken.
  since timestamptz,
  -- What the publication says, unless it is said here.
  links text check (links in ('here', 'canonical')),
  feed_text text check (feed_text in ('full', 'summary')),
  created_at timestamptz not null default now(),
  paused_at timestamptz,
  -- The last change that was taken, by the site's clock.
  cursor_at timestamptz,
  caught_up_at timestamptz,
  -- What a feed answered last, and when it was last read whatever it answered.
  etag text,
  last_modified text,
  read_whole_at timestamptz,
  -- How long it asks to be left alone.
  ttl_minutes integer,
  -- The nightly look at every id: the page it stands at, and the last id before that page.
  sweep_page integer,
  sweep_after bigint not null default 0,
  swept_at timestamptz,
  looked_at timestamptz,
  next_at timestamptz not null default now(),
  -- When the site rang, and when a person wanted a look.
  rung_at timestamptz,
  wanted_at timestamptz,
  -- When a look that it rang for found something, and when one that it did not ring for did.
  found_by_ring_at timestamptz,
  found_by_clock_at timestamptz,
  -- Looks in a row that failed, and why the last did.
  failures integer not null default 0,
  failure text,
  -- What only a person can answer; nothing is withdrawn until then.
  question text check (question in ('many', 'changed', 'moved')),
  asked_at timestamptz,
  lease_token uuid,
  lease_until timestamptz
);
create index sources_due on sources (next_at) where paused_at is null;

-- What a source has, and what became of it here.
create table source_items (
  source_id bigint not null references sources on delete cascade,
  remote_id text not null,
  article_id bigint references articles on delete set null,
  guid text,
  link text,
  title text not null,
  -- `kept`: gone there, and a person wants it here.
  state text not null check (state in ('here', 'skipped', 'withdrawn', 'kept')),
  -- Why it was skipped.
  reason text,
  published_at timestamptz,
  -- As the site says; null: to be read again.
  modified_at timestamptz,
  -- Since when the site does not show it.
  missing_since timestamptz,
  withdrawn_at timestamptz,
  primary key (source_id, remote_id)
);
create index source_items_article on source_items (article_id);
create index source_items_published on source_items (source_id, published_at desc);
create index source_items_number
  on source_items (source_id, ((substring(remote_id from '^[0-9]{1,18}$'))::bigint));
create index source_items_name on source_items (source_id, (coalesce(guid, link)));
create index source_items_open on source_items (source_id)
  where missing_since is not null or modified_at is null;

-- The last 200 looks of each.
create table source_runs (
  id bigint generated always as identity primary key,
  source_id bigint not null references sources on delete cascade,
  started_at timestamptz not null,
  ended_at timestamptz not null default clock_timestamp(),
  reason text not null check (reason in ('clock', 'ring', 'person')),
  created integer not null default 0,
  updated integer not null default 0,
  skipped integer not null default 0,
  withdrawn integer not null default 0,
  restored integer not null default 0,
  failure text
);
create index source_runs_source on source_runs (source_id, id desc);

alter table articles
  -- The source that withdrew it, which alone may restore it; null where the desk or the API did.
  add column withdrawn_by bigint references sources on delete set null;
create index articles_withdrawn_by on articles (withdrawn_by) where withdrawn_by is not null;
