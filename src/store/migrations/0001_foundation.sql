-- Times are timestamptz and come from the database clock where they decide anything.
-- Addresses are kept in `subscribers`, `activations` and `outbox` alone; everything that must outlive a person
-- keeps an HMAC of the address and the id of the key that made it.

create table publication (
  only_row boolean primary key default true check (only_row),
  name text not null,
  description text not null default '',
  languages text[] not null check (cardinality(languages) > 0),
  zone text not null default 'Africa/Algiers',
  -- BCP 47 locales for dates and numbers, by language: {"ar": "ar-DZ"}.
  locales jsonb not null default '{}',
  -- The byline of an article without authors.
  desk_name text not null,
  postal_address text,
  contact_email text,
  policy_url text,
  policy_version text not null default '1',
  ambiguous_policy text not null default 'resend_once' check (ambiguous_policy in ('resend_once', 'hold')),
  updated_at timestamptz not null default now()
);

-- There is always one; `depeche publication set` gives it its name.
insert into publication (name, languages, desk_name) values ('Dépêche', '{fr}', 'La rédaction');

-- Ways to select articles. A section or dossier has a name per language; a tag or author has one, under "und".
create table selections (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('section', 'dossier', 'tag', 'author')),
  slug text not null,
  names jsonb not null default '{}',
  description jsonb not null default '{}',
  position int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (kind, slug)
);

create table articles (
  id bigint generated always as identity primary key,
  external_id text not null unique,
  guid text not null unique,
  slug text not null unique,
  short_code text not null unique,
  language text not null,
  title text not null,
  deck text not null default '',
  summary text not null default '',
  -- Sanitised on write; sanitised again on render.
  html text not null,
  state text not null check (state in ('draft', 'scheduled', 'published', 'withdrawn')),
  -- The editor's date, shown to people and in pubDate.
  published_at timestamptz,
  -- When it became public here (its publication date for imports): order, windows and "due" follow it. Never changes.
  first_public_at timestamptz,
  withdrawn_at timestamptz,
  withdrawn_reason text,
  canonical_url text,
  picture jsonb,
  -- Audio, video or PDF: {url, type, length, title}.
  enclosure jsonb,
  responses_open boolean not null default false,
  views_total bigint not null default 0,
  -- Path of the permalink it had before an import, such as /2012/03/14/title/.
  old_path text,
  -- Hash of what an editor sent; a PUT or re-import of the same content is `unchanged`.
  content_sha256 bytea not null,
  -- Set when a feed could not render it: shown on the desk, cleared by the next change.
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (state <> 'published' or (published_at is not null and first_public_at is not null)),
  check (state <> 'scheduled' or published_at is not null)
);
create index articles_public on articles (first_public_at desc, id desc) where state in ('published', 'withdrawn');
create index articles_language_public on articles (language, first_public_at desc, id desc) where state in ('published', 'withdrawn');
create index articles_scheduled on articles (published_at) where state = 'scheduled';
create index articles_old_path on articles (old_path) where old_path is not null;
create index articles_updated on articles (updated_at desc, id desc);

create table article_selections (
  article_id bigint not null references articles on delete cascade,
  selection_id bigint not null references selections,
  -- Order given by the editor, within one kind.
  position int not null default 0,
  primary key (article_id, selection_id)
);
create index article_selections_selection on article_selections (selection_id, article_id);

-- A slug an article once had, so that its old URL redirects.
create table article_slugs (
  slug text primary key,
  article_id bigint not null references articles on delete cascade
);

create table article_views (
  article_id bigint not null references articles on delete cascade,
  -- A day of the publication's zone.
  date date not null,
  n bigint not null default 0,
  primary key (article_id, date)
);
create index article_views_date on article_views (date, n desc);

create table responses (
  id bigint generated always as identity primary key,
  article_id bigint not null references articles on delete cascade,
  external_id text not null,
  guid text not null unique,
  kind text not null default 'response' check (kind in ('response', 'trackback')),
  author text not null,
  author_url text,
  html text not null,
  published_at timestamptz not null,
  content_sha256 bytea not null,
  created_at timestamptz not null default now(),
  unique (article_id, external_id)
);
create index responses_newest on responses (published_at desc, id desc);
create index responses_article on responses (article_id, published_at, id);

-- One row per feed address; never rendered yet where body is null.
create table feed_documents (
  path text primary key,
  -- What it is a view of, in the words of domain/feed: `all`, `section:culture`, `responses:le-port` …
  subject text not null,
  -- Empty: every language.
  language text not null default '',
  content_type text not null,
  etag text,
  -- Whole seconds, and later than before whenever the body changes.
  last_modified timestamptz,
  -- What is older than this item never (re)appears; only moves forward.
  floor_at timestamptz,
  floor_id bigint,
  -- Of the body without its own date.
  content_sha256 bytea,
  body bytea,
  gzip bytea,
  br bytea,
  items int not null default 0,
  -- What could not be rendered: [{guid, title, reason}].
  left_out jsonb not null default '[]',
  -- Hash of what else decides the bytes: address, publication, version of the program.
  made_for text,
  rendered_at timestamptz,
  dirty_at timestamptz,
  -- Counts the marks: a change while a render runs leaves the document dirty.
  dirty_n bigint not null default 0,
  -- When time alone changes it: a notice ends, a ranking is old.
  due_at timestamptz,
  moved_to text,
  retired_at timestamptz,
  check ((body is null) = (etag is null) and (body is null) = (last_modified is null))
);
create index feed_documents_dirty on feed_documents (dirty_at) where dirty_at is not null;
create index feed_documents_due on feed_documents (due_at) where due_at is not null;
create index feed_documents_subject on feed_documents (subject, language);

-- What changed, for the feeds to follow. Only inserted: writers of articles never wait for a renderer or for each other.
create table feed_changes (
  id bigint generated always as identity primary key,
  -- As in feed_documents; `*` is every feed.
  subject text not null,
  -- Of the article; null touches feeds of every language.
  language text
);

-- Polls by reader family, per day, flushed by each web process; no address, no user agent.
create table feed_polls (
  path text not null,
  date date not null,
  family text not null,
  full_n bigint not null default 0,
  not_modified_n bigint not null default 0,
  limited_n bigint not null default 0,
  primary key (path, date, family)
);

create table newsletters (
  id bigint generated always as identity primary key,
  slug text not null unique,
  name text not null,
  description text not null default '',
  language text not null,
  -- Slugs; all empty means every article of the language.
  sections text[] not null default '{}',
  dossiers text[] not null default '{}',
  tags text[] not null default '{}',
  -- [{"kind":"lead"}, {"kind":"section","slug":"culture"}, {"kind":"dossier","slug":"…"}, {"kind":"most-read"}]
  blocks jsonb not null default '[]',
  min_articles int not null default 1 check (min_articles >= 1),
  max_articles int not null default 12 check (max_articles between min_articles and 100),
  subject text,
  approval text not null default 'none' check (approval in ('none', 'one', 'four-eyes')),
  repeats text not null default 'never' check (repeats in ('never', 'within-newsletter')),
  sender text,
  template text not null default 'digest' check (template in ('digest', 'brief')),
  position int not null default 0,
  -- Articles that became public before this are never due.
  began_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table newsletter_cadences (
  newsletter_id bigint not null references newsletters on delete cascade,
  cadence text not null check (cadence in ('daily', 'weekly', 'alert')),
  local_time time,
  zone text,
  -- ISO: 1 is Monday.
  weekday int check (weekday between 1 and 7),
  max_per_day int check (max_per_day > 0),
  primary key (newsletter_id, cadence),
  check (cadence = 'alert' or (local_time is not null and zone is not null)),
  check (cadence <> 'weekly' or weekday is not null)
);

create table newsletter_exclusions (
  newsletter_id bigint not null references newsletters on delete cascade,
  article_id bigint not null references articles on delete cascade,
  -- An actor, as in audit.
  excluded_by text,
  created_at timestamptz not null default now(),
  primary key (newsletter_id, article_id)
);

create table subscribers (
  id bigint generated always as identity primary key,
  -- As typed, the domain in its ASCII form. Null once erased.
  address text,
  address_hmac bytea,
  key_id text,
  language text not null,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  -- Bounce scoring: points, and the day of the last bounce that counted.
  bounce_score numeric not null default 0,
  last_bounce_on date,
  check ((address is null) = (erased_at is not null))
);
create unique index subscribers_address on subscribers (lower(address));
create index subscribers_address_hmac on subscribers (address_hmac);

create table subscriptions (
  subscriber_id bigint not null references subscribers,
  newsletter_id bigint not null references newsletters,
  state text not null check (state in ('pending', 'active', 'ended')),
  ended_reason text check (ended_reason in ('unsubscribed', 'bounced', 'complained', 'erased', 'expired', 'refused')),
  -- What the person answered when asked why they left; one of a closed list.
  leave_reason text,
  cadence text not null check (cadence in ('daily', 'weekly', 'alert')),
  alerts boolean not null default false,
  -- Selection ids of sections, sorted; empty means all.
  sections bigint[] not null default '{}',
  paused_until timestamptz,
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  ended_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (subscriber_id, newsletter_id),
  check ((state = 'ended') = (ended_reason is not null))
);
create index subscriptions_audience on subscriptions (newsletter_id, cadence, subscriber_id) where state = 'active';

-- A request to subscribe, to prove a new address, or to be mailed one's link; answered before it is decided, so
-- that the answer cannot tell who is known.
create table activations (
  id uuid primary key default gen_random_uuid(),
  kind text not null default 'signup' check (kind in ('signup', 'address-change', 'preferences-link')),
  subscriber_id bigint references subscribers on delete cascade,
  -- Null once purged or erased.
  address text,
  limit_hmac bytea not null,
  key_id text not null,
  language text not null,
  -- What was chosen: {newsletters: [slug], cadence, alerts, sections: [slug]}.
  wanted jsonb not null,
  form text not null,
  browser_sha256 bytea,
  -- False when the honeypot, the timestamp or a limit says "machine": answered the same, never mailed.
  is_mailable boolean not null default true,
  created_at timestamptz not null default now(),
  -- Not before: imports are paced, and an unusual flood waits.
  decide_at timestamptz not null default now(),
  decided_at timestamptz,
  decision text check (decision in (
    'mailed', 'already-subscribed', 'told-already', 'limited', 'blocked', 'suppressed', 'unknown', 'machine')),
  expires_at timestamptz not null,
  mailed_at timestamptz,
  reminded_at timestamptz,
  activated_at timestamptz,
  refused_at timestamptz,
  method text check (method in ('cookie-link', 'button', 'import'))
);
create index activations_limit on activations (limit_hmac, created_at);
create index activations_expiry on activations (expires_at) where activated_at is null;
create index activations_undecided on activations (decide_at) where decided_at is null;
create index activations_decided on activations (decided_at) where decision = 'mailed';
create index activations_subscriber on activations (subscriber_id);

-- Activation mails that went out, by HMAC of the normalised address: the limit outlives the request.
create table activation_mails (
  limit_hmac bytea not null,
  sent_at timestamptz not null default clock_timestamp(),
  primary key (limit_hmac, sent_at)
);

-- "I did not ask for this": no further activation mail to the address until then.
create table activation_blocks (
  limit_hmac bytea primary key,
  blocked_until timestamptz not null
);

-- Append-only: what was asked, when, by which form and text, and how it ended.
create table consents (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  event text not null check (event in ('requested', 'activated', 'refused', 'imported', 'changed', 'ended', 'restored')),
  activation_id uuid,
  subscriber_id bigint references subscribers,
  newsletter_id bigint references newsletters,
  form text,
  consent_text text,
  consent_text_sha256 bytea,
  locale text,
  policy_version text,
  method text,
  basis text,
  ip_prefix text,
  user_agent_sha256 bytea,
  message_id text,
  reason text
);
create index consents_subscriber on consents (subscriber_id, at);
create index consents_activation on consents (activation_id);

create table suppressions (
  -- The order of lists: a time alone does not tell two rows apart.
  id bigint generated always as identity unique,
  address_hmac bytea not null,
  key_id text not null,
  reason text not null check (reason in ('bounced', 'complained', 'erased', 'manual')),
  detail text,
  created_at timestamptz not null default now(),
  created_by bigint,
  primary key (address_hmac)
);

create table bounces (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  subscriber_id bigint references subscribers,
  digest_id bigint,
  outbox_id bigint,
  source text not null check (source in ('smtp', 'dsn', 'arf')),
  class text not null,
  status text,
  smtp_answer text,
  domain text,
  points numeric not null default 0,
  proof text
);
create index bounces_subscriber on bounces (subscriber_id, at);
create index bounces_at on bounces (at);

create table digests (
  id bigint generated always as identity primary key,
  newsletter_id bigint not null references newsletters,
  cadence text not null check (cadence in ('daily', 'weekly', 'alert')),
  -- The scheduled day; null for alerts and digests composed by hand.
  local_date date,
  state text not null default 'draft' check (state in (
    'draft', 'approved', 'scheduled', 'preparing', 'sending', 'paused',
    'completed', 'completed_with_uncertain', 'cancelled', 'missed', 'skipped')),
  resume_state text check (resume_state in ('scheduled', 'preparing', 'sending')),
  paused_reason text,
  -- Grows with every change an editor makes: the ETag.
  version int not null default 1,
  subject text,
  -- The line an inbox shows beside the subject; null: made from the headlines.
  preheader text,
  intro text not null default '',
  pinned bigint[] not null default '{}',
  excluded bigint[] not null default '{}',
  -- An explicit choice and order of articles; null means "by the newsletter's rules".
  chosen bigint[],
  -- Everything that decides the bytes, set when frozen: settings, template, texts.
  frozen jsonb,
  frozen_at timestamptz,
  content_sha256 bytea,
  approved_sha256 bytea,
  -- Actors, as in audit: editor:3, key:7, cli, system.
  approved_by text,
  approved_at timestamptz,
  approval_due_at timestamptz,
  changed_by text,
  audience int,
  send_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz not null default now()
);
-- Any number of replicas start exactly one digest a day.
create unique index digests_scheduled_once on digests (newsletter_id, cadence, local_date) where local_date is not null;
create index digests_newest on digests (created_at desc, id desc);
create index digests_running on digests (state) where state in ('scheduled', 'preparing', 'sending', 'paused');

-- The frozen articles, in order. `snapshot` is what the mail shows: title, summary, url, picture, byline …
create table digest_articles (
  digest_id bigint not null references digests on delete cascade,
  article_id bigint not null references articles,
  position int not null,
  pinned boolean not null default false,
  block text not null default '',
  snapshot jsonb not null,
  withdrawn_at timestamptz,
  primary key (digest_id, article_id)
);
create index digest_articles_article on digest_articles (article_id);

create table variants (
  id bigint generated always as identity primary key,
  digest_id bigint not null references digests on delete cascade,
  -- In the digest's order.
  article_ids bigint[] not null,
  readers int not null default 0,
  -- The assembled message with gaps for what differs per recipient.
  skeleton jsonb,
  unique (digest_id, article_ids)
);

-- One row per digest and subscriber: the record of sending. Its ids are read from the rows themselves by the statement
-- that inserts it, and neither digests nor people who were sent one are ever deleted: foreign keys would only check
-- that again, row by row, for two thirds of the time that a preparation takes.
create table deliveries (
  digest_id bigint not null,
  subscriber_id bigint not null,
  variant_id bigint,
  state text not null default 'pending' check (state in (
    'pending', 'claimed', 'committing', 'accepted', 'deferred', 'rejected', 'uncertain', 'skipped', 'expired')),
  reason text,
  attempt int not null default 0,
  ambiguous int not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  next_at timestamptz,
  committing_at timestamptz,
  accepted_at timestamptz,
  smtp_answer text,
  primary key (digest_id, subscriber_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index deliveries_subscriber on deliveries (subscriber_id);
create index deliveries_pending on deliveries (digest_id, subscriber_id) where state = 'pending';
create index deliveries_deferred on deliveries (digest_id, next_at) where state = 'deferred';
-- What the desk is warned of: few among many, counted at every look at Today.
create index deliveries_troubled on deliveries (digest_id) where state in ('rejected', 'uncertain') or ambiguous > 0;
create index deliveries_leased on deliveries (lease_until) where state in ('claimed', 'committing');

-- Personal mail (activation and the like): the same machine as deliveries, one row per mail.
create table outbox (
  id bigint generated always as identity primary key,
  kind text not null check (kind in (
    'activation', 'reminder', 'already-subscribed', 'preferences-link', 'address-change', 'address-changed',
    'sign-in', 'digest-test', 'desk-notice')),
  activation_id uuid references activations on delete cascade,
  subscriber_id bigint references subscribers,
  editor_id bigint,
  -- Only where neither row above holds it.
  address text,
  language text,
  -- What the template needs beyond the rows above; never a usable token.
  payload jsonb not null default '{}',
  dedupe_key text unique,
  state text not null default 'pending' check (state in (
    'pending', 'claimed', 'committing', 'accepted', 'deferred', 'rejected', 'uncertain', 'skipped', 'expired')),
  reason text,
  attempt int not null default 0,
  ambiguous int not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  next_at timestamptz,
  committing_at timestamptz,
  accepted_at timestamptz,
  smtp_answer text,
  message_id text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days'
) with (fillfactor = 80);
create index outbox_pending on outbox (id) where state = 'pending';
create index outbox_deferred on outbox (next_at) where state = 'deferred';
create index outbox_leased on outbox (lease_until) where state in ('claimed', 'committing');

create table editors (
  id bigint generated always as identity primary key,
  email text not null,
  role text not null check (role in ('admin', 'editor', 'viewer')),
  language text not null default 'fr',
  created_at timestamptz not null default now(),
  removed_at timestamptz
);
create unique index editors_email on editors (lower(email)) where removed_at is null;

create table sign_in_links (
  token_sha256 bytea primary key,
  editor_id bigint not null references editors,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);

create table sessions (
  id bigint generated always as identity primary key,
  token_sha256 bytea not null unique,
  editor_id bigint not null references editors,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- What a person recognises a session by: "Firefox, Linux".
  label text not null default '',
  ended_at timestamptz
);
create index sessions_editor on sessions (editor_id) where ended_at is null;

create table api_keys (
  id bigint generated always as identity primary key,
  name text not null,
  role text not null check (role in ('admin', 'editor', 'viewer')),
  -- The first characters, to tell keys apart; the key itself is shown once and never stored.
  prefix text not null,
  key_sha256 bytea not null unique,
  created_by bigint references editors,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz
);

create table idempotency_keys (
  -- Who asked (key:7, editor:3), which route, which digest, and the client's key.
  scope text not null,
  key text not null,
  request_sha256 bytea not null,
  status int not null,
  body jsonb not null,
  created_at timestamptz not null default now(),
  primary key (scope, key)
);

-- Append-only.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- editor:3, key:7, cli, system
  actor text not null,
  action text not null,
  subject text not null default '',
  detail jsonb not null default '{}'
);

-- Which cluster this database lives in: a restored copy must not send by itself.
create table instance_guard (
  only_row boolean primary key default true check (only_row),
  system_identifier text not null,
  timeline int not null,
  -- When the files of the cluster came to where they are; empty where we may not ask.
  files text not null,
  beat_at timestamptz not null default clock_timestamp(),
  held_at timestamptz
);

-- Worker processes that are alive, so that a command can say when none runs.
create table workers (
  id uuid primary key,
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp()
);

-- Owned by rate-limiter-flexible, which would otherwise create it at run time.
create table rate_limits (
  key varchar(255) primary key,
  points int not null default 0,
  expire bigint
);

create function append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger audit_append_only before update or delete on audit for each row execute function append_only();
