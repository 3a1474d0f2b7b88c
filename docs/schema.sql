-- Written by `npm run schema` from the catalog of a migrated database. Change the migrations, not this file.

create table activation_blocks (
  limit_hmac bytea not null,
  blocked_until timestamp with time zone not null,
  constraint activation_blocks_pkey PRIMARY KEY (limit_hmac)
);

create table activation_mails (
  limit_hmac bytea not null,
  sent_at timestamp with time zone default clock_timestamp() not null,
  constraint activation_mails_pkey PRIMARY KEY (limit_hmac, sent_at)
);

create table activations (
  id uuid default gen_random_uuid() not null,
  kind text default 'signup'::text not null,
  subscriber_id bigint,
  address text,
  limit_hmac bytea not null,
  key_id text not null,
  language text not null,
  wanted jsonb not null,
  form text not null,
  browser_sha256 bytea,
  is_mailable boolean default true not null,
  created_at timestamp with time zone default now() not null,
  decide_at timestamp with time zone default now() not null,
  decided_at timestamp with time zone,
  decision text,
  expires_at timestamp with time zone not null,
  mailed_at timestamp with time zone,
  reminded_at timestamp with time zone,
  activated_at timestamp with time zone,
  refused_at timestamp with time zone,
  method text,
  constraint activations_pkey PRIMARY KEY (id),
  constraint activations_decision_check CHECK (decision = ANY (ARRAY['mailed'::text, 'already-subscribed'::text, 'told-already'::text, 'limited'::text, 'blocked'::text, 'suppressed'::text, 'unknown'::text, 'machine'::text])),
  constraint activations_kind_check CHECK (kind = ANY (ARRAY['signup'::text, 'address-change'::text, 'preferences-link'::text])),
  constraint activations_method_check CHECK (method = ANY (ARRAY['cookie-link'::text, 'button'::text, 'import'::text])),
  constraint activations_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscribers(id) ON DELETE CASCADE
);
CREATE INDEX activations_address ON activations USING btree (lower(address));
CREATE INDEX activations_decided ON activations USING btree (decided_at) WHERE (decision = 'mailed'::text);
CREATE INDEX activations_expiry ON activations USING btree (expires_at) WHERE (activated_at IS NULL);
CREATE INDEX activations_limit ON activations USING btree (limit_hmac, created_at);
CREATE INDEX activations_subscriber ON activations USING btree (subscriber_id);
CREATE INDEX activations_to_remind ON activations USING btree (decided_at) WHERE ((decision = 'mailed'::text) AND (kind = 'signup'::text) AND (form <> 'import'::text) AND (reminded_at IS NULL) AND (activated_at IS NULL) AND (refused_at IS NULL));
CREATE INDEX activations_undecided ON activations USING btree (decide_at) WHERE (decided_at IS NULL);

create table api_keys (
  id bigint generated always as identity not null,
  name text not null,
  role text not null,
  prefix text not null,
  key_sha256 bytea not null,
  created_by bigint,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_key_sha256_key UNIQUE (key_sha256),
  constraint api_keys_role_check CHECK (role = ANY (ARRAY['admin'::text, 'editor'::text, 'viewer'::text])),
  constraint api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES editors(id)
);

create table article_aliases (
  id bigint generated always as identity not null,
  article_id bigint not null,
  external_id text,
  guid text,
  short_code text,
  old_path text,
  created_at timestamp with time zone default now() not null,
  constraint article_aliases_pkey PRIMARY KEY (id),
  constraint article_aliases_external_id_key UNIQUE (external_id),
  constraint article_aliases_short_code_key UNIQUE (short_code),
  constraint article_aliases_check CHECK (num_nonnulls(external_id, guid, short_code, old_path) > 0),
  constraint article_aliases_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);
CREATE INDEX article_aliases_article ON article_aliases USING btree (article_id);
CREATE INDEX article_aliases_guid ON article_aliases USING btree (guid) WHERE (guid IS NOT NULL);
CREATE INDEX article_aliases_old_address ON article_aliases USING btree (lower(rtrim(old_path, '/'::text))) WHERE (old_path IS NOT NULL);
CREATE INDEX article_aliases_wordpress_post ON article_aliases USING btree ("substring"(external_id, '^wp:.*:([0-9]+)$'::text)) WHERE (external_id ~~ 'wp:%'::text);

create table article_bodies (
  id bigint generated always as identity not null,
  article_id bigint not null,
  title text not null,
  deck text not null,
  body text not null,
  format text not null,
  written_by text,
  written_at timestamp with time zone not null,
  constraint article_bodies_pkey PRIMARY KEY (id),
  constraint article_bodies_format_check CHECK (format = ANY (ARRAY['html'::text, 'markdown'::text])),
  constraint article_bodies_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);
CREATE INDEX article_bodies_article ON article_bodies USING btree (article_id, id);
CREATE INDEX article_bodies_media ON article_bodies USING btree (id) WHERE (body ~~ '%/media/%'::text);

create table article_selections (
  article_id bigint not null,
  selection_id bigint not null,
  position integer default 0 not null,
  constraint article_selections_pkey PRIMARY KEY (article_id, selection_id),
  constraint article_selections_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE,
  constraint article_selections_selection_id_fkey FOREIGN KEY (selection_id) REFERENCES selections(id)
);
CREATE INDEX article_selections_selection ON article_selections USING btree (selection_id, article_id);

create table article_slugs (
  slug text not null,
  article_id bigint not null,
  constraint article_slugs_pkey PRIMARY KEY (slug),
  constraint article_slugs_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);

create table article_totals (
  article_id bigint not null,
  n bigint not null,
  constraint article_totals_pkey PRIMARY KEY (article_id),
  constraint article_totals_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);
CREATE INDEX article_totals_most ON article_totals USING btree (n DESC, article_id DESC);

create table article_views (
  article_id bigint not null,
  date date not null,
  n bigint default 0 not null,
  constraint article_views_pkey PRIMARY KEY (article_id, date),
  constraint article_views_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);
CREATE INDEX article_views_date ON article_views USING btree (date, n DESC);

create table articles (
  id bigint generated always as identity not null,
  external_id text not null,
  guid text not null,
  slug text not null,
  short_code text not null,
  language text not null,
  title text not null,
  deck text default ''::text not null,
  summary text default ''::text not null,
  html text not null,
  state text not null,
  published_at timestamp with time zone,
  first_public_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  withdrawn_reason text,
  canonical_url text,
  picture jsonb,
  enclosure jsonb,
  responses_open boolean default false not null,
  views_total bigint default 0 not null,
  old_path text,
  content_sha256 bytea not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  remote_modified_at timestamp with time zone,
  remote_rank smallint,
  held_at timestamp with time zone,
  withdrawn_by bigint,
  markdown text,
  markdown_md5 text,
  correction text,
  translation_of bigint,
  written_by text,
  written_at timestamp with time zone,
  corrected_at timestamp with time zone,
  constraint articles_pkey PRIMARY KEY (id),
  constraint articles_external_id_key UNIQUE (external_id),
  constraint articles_guid_key UNIQUE (guid),
  constraint articles_short_code_key UNIQUE (short_code),
  constraint articles_slug_key UNIQUE (slug),
  constraint articles_check CHECK (state <> 'published'::text OR published_at IS NOT NULL AND first_public_at IS NOT NULL),
  constraint articles_check1 CHECK (state <> 'scheduled'::text OR published_at IS NOT NULL),
  constraint articles_state_check CHECK (state = ANY (ARRAY['draft'::text, 'scheduled'::text, 'published'::text, 'withdrawn'::text])),
  constraint articles_translation_of_fkey FOREIGN KEY (translation_of) REFERENCES articles(id) ON DELETE SET NULL,
  constraint articles_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES sources(id) ON DELETE SET NULL
);
CREATE INDEX articles_dated ON articles USING btree (date_trunc('milliseconds'::text, (COALESCE(published_at, created_at) AT TIME ZONE 'UTC'::text)) DESC, id DESC);
CREATE INDEX articles_folded_guid ON articles USING btree (lower(rtrim(regexp_replace(guid, '^https?://(www\.)?'::text, ''::text), '/'::text))) WHERE (guid ~~ 'http%'::text);
CREATE INDEX articles_folded_url ON articles USING btree (lower(rtrim(regexp_replace(canonical_url, '^https?://(www\.)?'::text, ''::text), '/'::text))) WHERE (canonical_url IS NOT NULL);
CREATE INDEX articles_language_public ON articles USING btree (language, first_public_at DESC, id DESC) WHERE (state = ANY (ARRAY['published'::text, 'withdrawn'::text]));
CREATE INDEX articles_media ON articles USING btree (id) WHERE ((html ~~ '%/media/%'::text) OR ((picture ->> 'url'::text) ~~ '%/media/%'::text));
CREATE INDEX articles_old_address ON articles USING btree (lower(rtrim(old_path, '/'::text))) WHERE (old_path IS NOT NULL);
CREATE INDEX articles_old_path ON articles USING btree (old_path) WHERE (old_path IS NOT NULL);
CREATE INDEX articles_public ON articles USING btree (first_public_at DESC, id DESC) WHERE (state = ANY (ARRAY['published'::text, 'withdrawn'::text]));
CREATE INDEX articles_published ON articles USING btree (id) INCLUDE (language) WHERE (state = 'published'::text);
CREATE INDEX articles_scheduled ON articles USING btree (published_at) WHERE (state = 'scheduled'::text);
CREATE INDEX articles_title_part ON articles USING gin (fold_text(title) gin_trgm_ops);
CREATE INDEX articles_translation_of ON articles USING btree (translation_of) WHERE (translation_of IS NOT NULL);
CREATE INDEX articles_updated ON articles USING btree (updated_at DESC, id DESC);
CREATE INDEX articles_withdrawn_by ON articles USING btree (withdrawn_by) WHERE (withdrawn_by IS NOT NULL);
CREATE INDEX articles_wordpress_guid ON articles USING btree ("substring"(guid, '[?&;]p=([0-9]+)$'::text)) WHERE (guid ~~ '%p=%'::text);
CREATE INDEX articles_wordpress_post ON articles USING btree ("substring"(external_id, '^wp:.*:([0-9]+)$'::text)) WHERE (external_id ~~ 'wp:%'::text);
CREATE TRIGGER articles_viewed AFTER INSERT OR UPDATE OF views_total ON articles FOR EACH ROW WHEN (new.views_total > 0) EXECUTE FUNCTION total_views();

create table audience_counts (
  newsletter_id bigint not null,
  basis text not null,
  readers bigint not null,
  had bigint not null,
  groups jsonb not null,
  counted_at timestamp with time zone default now() not null,
  constraint audience_counts_pkey PRIMARY KEY (newsletter_id, basis),
  constraint audience_counts_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id) ON DELETE CASCADE
);

create table audit (
  id bigint generated always as identity not null,
  at timestamp with time zone default clock_timestamp() not null,
  actor text not null,
  action text not null,
  subject text default ''::text not null,
  detail jsonb default '{}'::jsonb not null,
  constraint audit_pkey PRIMARY KEY (id)
);
CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION append_only();

create table bounces (
  id bigint generated always as identity not null,
  at timestamp with time zone default clock_timestamp() not null,
  subscriber_id bigint,
  digest_id bigint,
  outbox_id bigint,
  source text not null,
  class text not null,
  status text,
  smtp_answer text,
  domain text,
  points numeric default 0 not null,
  proof text,
  effects jsonb,
  constraint bounces_pkey PRIMARY KEY (id),
  constraint bounces_source_check CHECK (source = ANY (ARRAY['smtp'::text, 'dsn'::text, 'arf'::text])),
  constraint bounces_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscribers(id)
);
CREATE INDEX bounces_at ON bounces USING btree (at);
CREATE INDEX bounces_digest ON bounces USING btree (digest_id) WHERE (digest_id IS NOT NULL);
CREATE INDEX bounces_subscriber ON bounces USING btree (subscriber_id, at);

create table consents (
  id bigint generated always as identity not null,
  at timestamp with time zone default clock_timestamp() not null,
  event text not null,
  activation_id uuid,
  subscriber_id bigint,
  newsletter_id bigint,
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
  reason text,
  given_at timestamp with time zone,
  source text,
  constraint consents_pkey PRIMARY KEY (id),
  constraint consents_event_check CHECK (event = ANY (ARRAY['requested'::text, 'activated'::text, 'refused'::text, 'imported'::text, 'changed'::text, 'ended'::text, 'restored'::text])),
  constraint consents_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id),
  constraint consents_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscribers(id)
);
CREATE INDEX consents_activation ON consents USING btree (activation_id);
CREATE INDEX consents_at ON consents USING btree (at);
CREATE INDEX consents_elsewhere ON consents USING btree (form) WHERE ((event = 'requested'::text) AND (form = ANY (ARRAY['embed'::text, 'api'::text])));
CREATE INDEX consents_newsletter ON consents USING btree (newsletter_id, at) WHERE (event = ANY (ARRAY['activated'::text, 'imported'::text, 'restored'::text, 'ended'::text]));
CREATE INDEX consents_subscriber ON consents USING btree (subscriber_id, at);

create table deliveries (
  digest_id bigint not null,
  subscriber_id bigint not null,
  variant_id bigint,
  state text default 'pending'::text not null,
  reason text,
  attempt integer default 0 not null,
  ambiguous integer default 0 not null,
  lease_token uuid,
  lease_until timestamp with time zone,
  next_at timestamp with time zone,
  committing_at timestamp with time zone,
  accepted_at timestamp with time zone,
  smtp_answer text,
  suspect_at timestamp with time zone,
  relay_id text,
  constraint deliveries_pkey PRIMARY KEY (digest_id, subscriber_id),
  constraint deliveries_state_check CHECK (state = ANY (ARRAY['pending'::text, 'claimed'::text, 'committing'::text, 'accepted'::text, 'deferred'::text, 'rejected'::text, 'uncertain'::text, 'skipped'::text, 'expired'::text]))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX deliveries_deferred ON deliveries USING btree (digest_id, next_at) WHERE (state = 'deferred'::text);
CREATE INDEX deliveries_leased ON deliveries USING btree (lease_until) WHERE (state = ANY (ARRAY['claimed'::text, 'committing'::text]));
CREATE INDEX deliveries_pending ON deliveries USING btree (digest_id, subscriber_id) WHERE (state = 'pending'::text);
CREATE INDEX deliveries_relay ON deliveries USING btree (relay_id) WHERE (relay_id IS NOT NULL);
CREATE INDEX deliveries_subscriber ON deliveries USING btree (subscriber_id);
CREATE INDEX deliveries_troubled ON deliveries USING btree (digest_id) WHERE ((state = ANY (ARRAY['rejected'::text, 'uncertain'::text])) OR (ambiguous > 0));
CREATE TRIGGER deliveries_changed AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS lost NEW TABLE AS gained FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries();
CREATE TRIGGER deliveries_gained AFTER INSERT ON deliveries REFERENCING NEW TABLE AS gained FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries();
CREATE TRIGGER deliveries_lost AFTER DELETE ON deliveries REFERENCING OLD TABLE AS lost FOR EACH STATEMENT EXECUTE FUNCTION count_deliveries();

create table delivery_counts (
  digest_id bigint not null,
  state text not null,
  day date,
  n bigint not null
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);
CREATE INDEX delivery_counts_day ON delivery_counts USING btree (day) WHERE (day IS NOT NULL);
CREATE INDEX delivery_counts_digest ON delivery_counts USING btree (digest_id);

create table digest_articles (
  digest_id bigint not null,
  article_id bigint not null,
  position integer not null,
  pinned boolean default false not null,
  block text default ''::text not null,
  snapshot jsonb not null,
  withdrawn_at timestamp with time zone,
  constraint digest_articles_pkey PRIMARY KEY (digest_id, article_id),
  constraint digest_articles_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id),
  constraint digest_articles_digest_id_fkey FOREIGN KEY (digest_id) REFERENCES digests(id) ON DELETE CASCADE
);
CREATE INDEX digest_articles_article ON digest_articles USING btree (article_id);

create table digest_results (
  digest_id bigint not null,
  domain text not null,
  state text not null,
  n bigint not null,
  constraint digest_results_pkey PRIMARY KEY (digest_id, domain, state),
  constraint digest_results_digest_id_fkey FOREIGN KEY (digest_id) REFERENCES digests(id) ON DELETE CASCADE
);

create table digests (
  id bigint generated always as identity not null,
  newsletter_id bigint not null,
  cadence text not null,
  local_date date,
  state text default 'draft'::text not null,
  resume_state text,
  paused_reason text,
  version integer default 1 not null,
  subject text,
  preheader text,
  intro text default ''::text not null,
  pinned bigint[] default '{}'::bigint[] not null,
  excluded bigint[] default '{}'::bigint[] not null,
  chosen bigint[],
  frozen jsonb,
  frozen_at timestamp with time zone,
  content_sha256 bytea,
  approved_sha256 bytea,
  approved_by text,
  approved_at timestamp with time zone,
  approval_due_at timestamp with time zone,
  changed_by text,
  audience integer,
  send_at timestamp with time zone,
  expires_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  started_at timestamp with time zone,
  completed_at timestamp with time zone,
  updated_at timestamp with time zone default now() not null,
  relay_since timestamp with time zone,
  relay_answer text,
  probe_at timestamp with time zone,
  settled_at timestamp with time zone,
  plans jsonb,
  refreshed_at timestamp with time zone,
  archive_changed_at timestamp with time zone,
  spread boolean,
  spread_portion integer,
  spread_next_at timestamp with time zone,
  spread_waiting integer default 0 not null,
  spread_held text,
  kind text default 'digest'::text not null,
  copy_of bigint,
  local_time time without time zone,
  details_ended_at timestamp with time zone,
  has_details boolean default true not null,
  constraint digests_pkey PRIMARY KEY (id),
  constraint digests_cadence_check CHECK (cadence = ANY (ARRAY['daily'::text, 'weekly'::text, 'alert'::text])),
  constraint digests_kind_check CHECK (kind = ANY (ARRAY['digest'::text, 'letter'::text])),
  constraint digests_resume_state_check CHECK (resume_state = ANY (ARRAY['scheduled'::text, 'preparing'::text, 'sending'::text])),
  constraint digests_state_check CHECK (state = ANY (ARRAY['draft'::text, 'approved'::text, 'scheduled'::text, 'preparing'::text, 'sending'::text, 'paused'::text, 'completed'::text, 'completed_with_uncertain'::text, 'cancelled'::text, 'missed'::text, 'skipped'::text])),
  constraint digests_copy_of_fkey FOREIGN KEY (copy_of) REFERENCES digests(id),
  constraint digests_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id)
);
CREATE INDEX digests_copies ON digests USING btree (copy_of) WHERE (copy_of IS NOT NULL);
CREATE INDEX digests_newest ON digests USING btree (created_at DESC, id DESC);
CREATE UNIQUE INDEX digests_occurrences ON digests USING btree (newsletter_id, cadence, local_date, local_time) NULLS NOT DISTINCT WHERE (local_date IS NOT NULL);
CREATE INDEX digests_running ON digests USING btree (state) WHERE (state = ANY (ARRAY['scheduled'::text, 'preparing'::text, 'sending'::text, 'paused'::text]));
CREATE INDEX digests_spread ON digests USING btree (spread_next_at) WHERE (spread_next_at IS NOT NULL);
CREATE INDEX digests_started ON digests USING btree (newsletter_id, started_at) WHERE (started_at IS NOT NULL);
CREATE INDEX digests_unsettled ON digests USING btree (id) WHERE ((state = 'cancelled'::text) AND (settled_at IS NULL));

create table editors (
  id bigint generated always as identity not null,
  email text not null,
  role text not null,
  language text default 'fr'::text not null,
  created_at timestamp with time zone default now() not null,
  removed_at timestamp with time zone,
  author text,
  told_at timestamp with time zone,
  constraint editors_pkey PRIMARY KEY (id),
  constraint editors_role_check CHECK (role = ANY (ARRAY['admin'::text, 'editor'::text, 'viewer'::text]))
);
CREATE UNIQUE INDEX editors_email ON editors USING btree (lower(email)) WHERE (removed_at IS NULL);

create table feed_changes (
  id bigint generated always as identity not null,
  subject text not null,
  language text,
  constraint feed_changes_pkey PRIMARY KEY (id)
);

create table feed_documents (
  path text not null,
  subject text not null,
  language text default ''::text not null,
  content_type text not null,
  etag text,
  last_modified timestamp with time zone,
  floor_at timestamp with time zone,
  floor_id bigint,
  content_sha256 bytea,
  body bytea,
  gzip bytea,
  br bytea,
  items integer default 0 not null,
  left_out jsonb default '[]'::jsonb not null,
  made_for text,
  rendered_at timestamp with time zone,
  dirty_at timestamp with time zone,
  dirty_n bigint default 0 not null,
  due_at timestamp with time zone,
  moved_to text,
  retired_at timestamp with time zone,
  constraint feed_documents_pkey PRIMARY KEY (path),
  constraint feed_documents_check CHECK ((body IS NULL) = (etag IS NULL) AND (body IS NULL) = (last_modified IS NULL))
);
CREATE INDEX feed_documents_dirty ON feed_documents USING btree (dirty_at) WHERE (dirty_at IS NOT NULL);
CREATE INDEX feed_documents_due ON feed_documents USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX feed_documents_subject ON feed_documents USING btree (subject, language);

create table feed_polls (
  path text not null,
  date date not null,
  family text not null,
  full_n bigint default 0 not null,
  not_modified_n bigint default 0 not null,
  limited_n bigint default 0 not null,
  constraint feed_polls_pkey PRIMARY KEY (path, date, family)
);

create table idempotency_keys (
  scope text not null,
  key text not null,
  request_sha256 bytea not null,
  status integer not null,
  body jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint idempotency_keys_pkey PRIMARY KEY (scope, key)
);

create table import_pieces (
  import_id bigint not null,
  number integer not null,
  bytes bytea not null,
  constraint import_pieces_pkey PRIMARY KEY (import_id, number),
  constraint import_pieces_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);

create table import_promises (
  import_id bigint not null,
  address_hmac bytea not null,
  newsletter_id bigint not null,
  state text not null,
  constraint import_promises_pkey PRIMARY KEY (import_id, address_hmac, newsletter_id),
  constraint import_promises_import_id_fkey FOREIGN KEY (import_id) REFERENCES imports(id) ON DELETE CASCADE
);

create table imports (
  id bigint generated always as identity not null,
  actor text not null,
  state text default 'uploading'::text not null,
  is_dry_run boolean not null,
  basis text,
  format jsonb default '{}'::jsonb not null,
  lines bigint default 0 not null,
  rows_read bigint default 0 not null,
  report jsonb default '{}'::jsonb not null,
  problems jsonb default '[]'::jsonb not null,
  first_mail_at timestamp with time zone,
  attempts integer default 0 not null,
  lease_token uuid,
  lease_until timestamp with time zone,
  created_at timestamp with time zone default clock_timestamp() not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  constraint imports_pkey PRIMARY KEY (id),
  constraint imports_state_check CHECK (state = ANY (ARRAY['uploading'::text, 'waiting'::text, 'running'::text, 'done'::text, 'failed'::text]))
);
CREATE INDEX imports_open ON imports USING btree (id) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));

create table instance_guard (
  only_row boolean default true not null,
  system_identifier text not null,
  timeline integer not null,
  files text not null,
  beat_at timestamp with time zone default clock_timestamp() not null,
  held_at timestamp with time zone,
  constraint instance_guard_pkey PRIMARY KEY (only_row),
  constraint instance_guard_only_row_check CHECK (only_row)
);

create table instance_stamp (
  only_row boolean default true not null,
  guard_oid oid not null,
  written_in text not null,
  constraint instance_stamp_pkey PRIMARY KEY (only_row),
  constraint instance_stamp_only_row_check CHECK (only_row)
);

create table invitations (
  id bigint generated always as identity not null,
  email text not null,
  role text not null,
  invited_by bigint,
  created_at timestamp with time zone default clock_timestamp() not null,
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  constraint invitations_pkey PRIMARY KEY (id),
  constraint invitations_role_check CHECK (role = ANY (ARRAY['viewer'::text, 'editor'::text, 'admin'::text])),
  constraint invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES editors(id)
);
CREATE UNIQUE INDEX invitations_open ON invitations USING btree (lower(email)) WHERE ((accepted_at IS NULL) AND (withdrawn_at IS NULL));

create table media (
  sha256 bytea not null,
  state text default 'waiting'::text not null,
  original bytea,
  refusal text,
  type text not null,
  width integer,
  height integer,
  length integer default 0 not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  used_at timestamp with time zone not null,
  constraint media_pkey PRIMARY KEY (sha256),
  constraint media_check CHECK ((state = 'waiting'::text) = (original IS NOT NULL)),
  constraint media_check1 CHECK ((state = 'refused'::text) = (refusal IS NOT NULL)),
  constraint media_sha256_check CHECK (length(sha256) = 32),
  constraint media_state_check CHECK (state = ANY (ARRAY['waiting'::text, 'made'::text, 'refused'::text]))
);
CREATE INDEX media_waiting ON media USING btree (created_at) WHERE (state = 'waiting'::text);

create table media_files (
  sha256 bytea not null,
  size integer not null,
  format text not null,
  width integer not null,
  height integer not null,
  bytes bytea not null,
  constraint media_files_pkey PRIMARY KEY (sha256, format, size),
  constraint media_files_format_check CHECK (format = ANY (ARRAY['webp'::text, 'jpg'::text, 'png'::text])),
  constraint media_files_sha256_fkey FOREIGN KEY (sha256) REFERENCES media(sha256) ON DELETE CASCADE
);

create table migrations (
  name text not null,
  applied_at timestamp with time zone default now() not null,
  sha256 text,
  constraint migrations_pkey PRIMARY KEY (name)
);

create table newsletter_cadences (
  newsletter_id bigint not null,
  cadence text not null,
  local_time time without time zone,
  zone text,
  weekday integer,
  max_per_day integer,
  constraint newsletter_cadences_pkey PRIMARY KEY (newsletter_id, cadence),
  constraint newsletter_cadences_cadence_check CHECK (cadence = ANY (ARRAY['daily'::text, 'weekly'::text, 'alert'::text])),
  constraint newsletter_cadences_check CHECK (cadence = 'alert'::text OR local_time IS NOT NULL AND zone IS NOT NULL),
  constraint newsletter_cadences_check1 CHECK (cadence <> 'weekly'::text OR weekday IS NOT NULL),
  constraint newsletter_cadences_max_per_day_check CHECK (max_per_day > 0),
  constraint newsletter_cadences_weekday_check CHECK (weekday >= 1 AND weekday <= 7),
  constraint newsletter_cadences_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id) ON DELETE CASCADE
);

create table newsletter_exclusions (
  newsletter_id bigint not null,
  article_id bigint not null,
  excluded_by text,
  created_at timestamp with time zone default now() not null,
  constraint newsletter_exclusions_pkey PRIMARY KEY (newsletter_id, article_id),
  constraint newsletter_exclusions_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE,
  constraint newsletter_exclusions_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id) ON DELETE CASCADE
);

create table newsletters (
  id bigint generated always as identity not null,
  slug text not null,
  name text not null,
  description text default ''::text not null,
  language text not null,
  sections text[] default '{}'::text[] not null,
  dossiers text[] default '{}'::text[] not null,
  tags text[] default '{}'::text[] not null,
  blocks jsonb default '[]'::jsonb not null,
  min_articles integer default 1 not null,
  max_articles integer default 12 not null,
  subject text,
  approval text default 'none'::text not null,
  repeats text default 'never'::text not null,
  sender text,
  template text default 'digest'::text not null,
  position integer default 0 not null,
  began_at timestamp with time zone default now() not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  state text default 'public'::text not null,
  resting_cadences jsonb,
  reply_to text,
  welcome text,
  schedules jsonb default '{}'::jsonb not null,
  link_tags boolean default false not null,
  constraint newsletters_pkey PRIMARY KEY (id),
  constraint newsletters_slug_key UNIQUE (slug),
  constraint newsletters_approval_check CHECK (approval = ANY (ARRAY['none'::text, 'one'::text, 'four-eyes'::text])),
  constraint newsletters_check CHECK (max_articles >= min_articles AND max_articles <= 100),
  constraint newsletters_min_articles_check CHECK (min_articles >= 1),
  constraint newsletters_repeats_check CHECK (repeats = ANY (ARRAY['never'::text, 'within-newsletter'::text])),
  constraint newsletters_state_check CHECK (state = ANY (ARRAY['public'::text, 'hidden'::text, 'paused'::text, 'ended'::text])),
  constraint newsletters_template_check CHECK (template = ANY (ARRAY['digest'::text, 'brief'::text]))
);

create table outbox (
  id bigint generated always as identity not null,
  kind text not null,
  activation_id uuid,
  subscriber_id bigint,
  editor_id bigint,
  address text,
  language text,
  payload jsonb default '{}'::jsonb not null,
  dedupe_key text,
  state text default 'pending'::text not null,
  reason text,
  attempt integer default 0 not null,
  ambiguous integer default 0 not null,
  lease_token uuid,
  lease_until timestamp with time zone,
  next_at timestamp with time zone,
  committing_at timestamp with time zone,
  accepted_at timestamp with time zone,
  smtp_answer text,
  message_id text,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone default (now() + '7 days'::interval) not null,
  suspect_at timestamp with time zone,
  relay_id text,
  responder_id bigint,
  constraint outbox_pkey PRIMARY KEY (id),
  constraint outbox_dedupe_key_key UNIQUE (dedupe_key),
  constraint outbox_kind_check CHECK (kind = ANY (ARRAY['activation'::text, 'reminder'::text, 'already-subscribed'::text, 'preferences-link'::text, 'address-change'::text, 'address-changed'::text, 'newsletter-ended'::text, 'welcome'::text, 'sign-in'::text, 'digest-test'::text, 'desk-notice'::text, 'invitation'::text, 'response'::text])),
  constraint outbox_state_check CHECK (state = ANY (ARRAY['pending'::text, 'claimed'::text, 'committing'::text, 'accepted'::text, 'deferred'::text, 'rejected'::text, 'uncertain'::text, 'skipped'::text, 'expired'::text])),
  constraint outbox_activation_id_fkey FOREIGN KEY (activation_id) REFERENCES activations(id) ON DELETE CASCADE,
  constraint outbox_responder_id_fkey FOREIGN KEY (responder_id) REFERENCES responders(id) ON DELETE CASCADE,
  constraint outbox_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscribers(id)
) with (fillfactor=80);
CREATE INDEX outbox_activation ON outbox USING btree (activation_id) WHERE (activation_id IS NOT NULL);
CREATE INDEX outbox_deferred ON outbox USING btree (next_at) WHERE (state = 'deferred'::text);
CREATE INDEX outbox_leased ON outbox USING btree (lease_until) WHERE (state = ANY (ARRAY['claimed'::text, 'committing'::text]));
CREATE INDEX outbox_pending ON outbox USING btree (id) WHERE (state = 'pending'::text);
CREATE INDEX outbox_relay ON outbox USING btree (relay_id) WHERE (relay_id IS NOT NULL);
CREATE INDEX outbox_responder ON outbox USING btree (responder_id) WHERE (responder_id IS NOT NULL);
CREATE INDEX outbox_subscriber ON outbox USING btree (subscriber_id) WHERE (subscriber_id IS NOT NULL);
CREATE INDEX outbox_unwritten ON outbox USING btree (id) WHERE ((state = 'rejected'::text) AND (reason = 'not_written'::text));

create table picks (
  id bigint generated always as identity not null,
  slug text not null,
  names jsonb not null,
  article_ids bigint[] default '{}'::bigint[] not null,
  starts_at timestamp with time zone,
  ends_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  on_front boolean default false not null,
  constraint picks_pkey PRIMARY KEY (id),
  constraint picks_slug_key UNIQUE (slug)
);

create table provider_counts (
  provider text not null,
  kind text not null,
  n bigint default 0 not null,
  strange_n bigint default 0 not null,
  last_at timestamp with time zone not null,
  constraint provider_counts_pkey PRIMARY KEY (provider, kind),
  constraint provider_counts_provider_fkey FOREIGN KEY (provider) REFERENCES providers(name) ON DELETE CASCADE
);

create table provider_events (
  provider text not null,
  event_id text not null,
  token text,
  at timestamp with time zone default clock_timestamp() not null,
  constraint provider_events_pkey PRIMARY KEY (provider, event_id),
  constraint provider_events_provider_fkey FOREIGN KEY (provider) REFERENCES providers(name) ON DELETE CASCADE
);
CREATE INDEX provider_events_at ON provider_events USING btree (at);
CREATE UNIQUE INDEX provider_events_token ON provider_events USING btree (provider, token) WHERE (token IS NOT NULL);

create table providers (
  name text not null,
  token text not null,
  key text,
  topic text,
  created_at timestamp with time zone default clock_timestamp() not null,
  tested_at timestamp with time zone,
  test_outbox_id bigint,
  test_seen_at timestamp with time zone,
  constraint providers_pkey PRIMARY KEY (name),
  constraint providers_name_check CHECK (name = ANY (ARRAY['ses'::text, 'mailgun'::text, 'sendgrid'::text, 'postmark'::text, 'brevo'::text, 'generic'::text]))
);

create table publication (
  only_row boolean default true not null,
  name text not null,
  description text default ''::text not null,
  languages text[] not null,
  zone text default 'Africa/Algiers'::text not null,
  locales jsonb default '{}'::jsonb not null,
  desk_name text not null,
  postal_address text,
  contact_email text,
  policy_url text,
  policy_version text default '1'::text not null,
  ambiguous_policy text default 'resend_once'::text not null,
  updated_at timestamp with time zone default now() not null,
  links text default 'here'::text not null,
  feed_text text,
  texts jsonb default '{}'::jsonb not null,
  look jsonb default '{}'::jsonb not null,
  responses text default 'off'::text not null,
  trackbacks text default 'off'::text not null,
  constraint publication_pkey PRIMARY KEY (only_row),
  constraint publication_ambiguous_policy_check CHECK (ambiguous_policy = ANY (ARRAY['resend_once'::text, 'hold'::text])),
  constraint publication_feed_text_check CHECK (feed_text = ANY (ARRAY['full'::text, 'summary'::text])),
  constraint publication_languages_check CHECK (cardinality(languages) > 0),
  constraint publication_links_check CHECK (links = ANY (ARRAY['here'::text, 'canonical'::text])),
  constraint publication_look_check CHECK (jsonb_typeof(look) = 'object'::text),
  constraint publication_only_row_check CHECK (only_row),
  constraint publication_responses_check CHECK (responses = ANY (ARRAY['off'::text, 'on'::text])),
  constraint publication_texts_check CHECK (jsonb_typeof(texts) = 'object'::text),
  constraint publication_trackbacks_check CHECK (trackbacks = ANY (ARRAY['off'::text, 'on'::text]))
);

create table rate_limits (
  key character varying(255) not null,
  points integer default 0 not null,
  expire bigint,
  constraint rate_limits_pkey PRIMARY KEY (key)
);

create table reader_counts (
  newsletter_id bigint not null,
  n bigint not null
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);

create table responders (
  id bigint generated always as identity not null,
  address text not null,
  last_response_at timestamp with time zone not null,
  constraint responders_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX responders_address ON responders USING btree (lower(address));
CREATE INDEX responders_last ON responders USING btree (last_response_at);

create table responses (
  id bigint generated always as identity not null,
  article_id bigint not null,
  external_id text not null,
  guid text not null,
  kind text default 'response'::text not null,
  author text not null,
  author_url text,
  html text not null,
  published_at timestamp with time zone not null,
  content_sha256 bytea not null,
  created_at timestamp with time zone default now() not null,
  constraint responses_pkey PRIMARY KEY (id),
  constraint responses_article_id_external_id_key UNIQUE (article_id, external_id),
  constraint responses_guid_key UNIQUE (guid),
  constraint responses_kind_check CHECK (kind = ANY (ARRAY['response'::text, 'trackback'::text])),
  constraint responses_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE
);
CREATE INDEX responses_article ON responses USING btree (article_id, published_at, id);
CREATE INDEX responses_newest ON responses USING btree (published_at DESC, id DESC);

create table rounds (
  name text not null,
  until timestamp with time zone not null,
  constraint rounds_pkey PRIMARY KEY (name)
);

create table selection_slugs (
  kind text not null,
  slug text not null,
  selection_id bigint not null,
  constraint selection_slugs_pkey PRIMARY KEY (kind, slug),
  constraint selection_slugs_selection_id_fkey FOREIGN KEY (selection_id) REFERENCES selections(id) ON DELETE CASCADE
);
CREATE INDEX selection_slugs_selection ON selection_slugs USING btree (selection_id);

create table selections (
  id bigint generated always as identity not null,
  kind text not null,
  slug text not null,
  names jsonb default '{}'::jsonb not null,
  description jsonb default '{}'::jsonb not null,
  position integer default 1000 not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  listed boolean default true not null,
  constraint selections_pkey PRIMARY KEY (id),
  constraint selections_kind_slug_key UNIQUE (kind, slug),
  constraint selections_kind_check CHECK (kind = ANY (ARRAY['section'::text, 'dossier'::text, 'tag'::text, 'author'::text]))
);

create table sending_budget (
  only_row boolean default true not null,
  version bigint default 0 not null,
  spent jsonb not null,
  constraint sending_budget_pkey PRIMARY KEY (only_row),
  constraint sending_budget_only_row_check CHECK (only_row)
);

create table sessions (
  id bigint generated always as identity not null,
  token_sha256 bytea not null,
  editor_id bigint not null,
  created_at timestamp with time zone default now() not null,
  seen_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  label text default ''::text not null,
  ended_at timestamp with time zone,
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_token_sha256_key UNIQUE (token_sha256),
  constraint sessions_editor_id_fkey FOREIGN KEY (editor_id) REFERENCES editors(id)
);
CREATE INDEX sessions_editor ON sessions USING btree (editor_id) WHERE (ended_at IS NULL);

create table sign_in_links (
  token_sha256 bytea not null,
  editor_id bigint not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint sign_in_links_pkey PRIMARY KEY (token_sha256),
  constraint sign_in_links_editor_id_fkey FOREIGN KEY (editor_id) REFERENCES editors(id)
);

create table source_items (
  source_id bigint not null,
  remote_id text not null,
  article_id bigint,
  guid text,
  link text,
  title text not null,
  state text not null,
  reason text,
  published_at timestamp with time zone,
  modified_at timestamp with time zone,
  missing_since timestamp with time zone,
  withdrawn_at timestamp with time zone,
  constraint source_items_pkey PRIMARY KEY (source_id, remote_id),
  constraint source_items_state_check CHECK (state = ANY (ARRAY['here'::text, 'skipped'::text, 'withdrawn'::text, 'kept'::text])),
  constraint source_items_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE SET NULL,
  constraint source_items_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources(id) ON DELETE CASCADE
);
CREATE INDEX source_items_article ON source_items USING btree (article_id);
CREATE INDEX source_items_name ON source_items USING btree (source_id, COALESCE(guid, link));
CREATE INDEX source_items_number ON source_items USING btree (source_id, (("substring"(remote_id, '^[0-9]{1,18}$'::text))::bigint));
CREATE INDEX source_items_open ON source_items USING btree (source_id) WHERE ((missing_since IS NOT NULL) OR (modified_at IS NULL));
CREATE INDEX source_items_published ON source_items USING btree (source_id, published_at DESC);

create table source_runs (
  id bigint generated always as identity not null,
  source_id bigint not null,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone default clock_timestamp() not null,
  reason text not null,
  created integer default 0 not null,
  updated integer default 0 not null,
  skipped integer default 0 not null,
  withdrawn integer default 0 not null,
  restored integer default 0 not null,
  failure text,
  constraint source_runs_pkey PRIMARY KEY (id),
  constraint source_runs_reason_check CHECK (reason = ANY (ARRAY['clock'::text, 'ring'::text, 'person'::text])),
  constraint source_runs_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources(id) ON DELETE CASCADE
);
CREATE INDEX source_runs_source ON source_runs USING btree (source_id, id DESC);

create table sources (
  id bigint generated always as identity not null,
  kind text not null,
  url text not null,
  home text not null,
  name text not null,
  host text not null,
  token text not null,
  language text,
  site_language text default ''::text not null,
  homes jsonb default '[]'::jsonb not null,
  face text default ''::text not null,
  since timestamp with time zone,
  links text,
  feed_text text,
  created_at timestamp with time zone default now() not null,
  paused_at timestamp with time zone,
  cursor_at timestamp with time zone,
  caught_up_at timestamp with time zone,
  etag text,
  last_modified text,
  read_whole_at timestamp with time zone,
  ttl_minutes integer,
  sweep_page integer,
  sweep_after bigint default 0 not null,
  swept_at timestamp with time zone,
  looked_at timestamp with time zone,
  next_at timestamp with time zone default now() not null,
  rung_at timestamp with time zone,
  wanted_at timestamp with time zone,
  found_by_ring_at timestamp with time zone,
  found_by_clock_at timestamp with time zone,
  failures integer default 0 not null,
  failure text,
  question text,
  asked_at timestamp with time zone,
  lease_token uuid,
  lease_until timestamp with time zone,
  constraint sources_pkey PRIMARY KEY (id),
  constraint sources_token_key UNIQUE (token),
  constraint sources_url_key UNIQUE (url),
  constraint sources_feed_text_check CHECK (feed_text = ANY (ARRAY['full'::text, 'summary'::text])),
  constraint sources_kind_check CHECK (kind = ANY (ARRAY['wordpress'::text, 'feed'::text])),
  constraint sources_links_check CHECK (links = ANY (ARRAY['here'::text, 'canonical'::text])),
  constraint sources_question_check CHECK (question = ANY (ARRAY['many'::text, 'changed'::text, 'moved'::text]))
);
CREATE INDEX sources_due ON sources USING btree (next_at) WHERE (paused_at IS NULL);

create table subscribers (
  id bigint generated always as identity not null,
  address text,
  address_hmac bytea,
  key_id text,
  language text not null,
  created_at timestamp with time zone default now() not null,
  erased_at timestamp with time zone,
  bounce_score numeric default 0 not null,
  last_bounce_on date,
  constraint subscribers_pkey PRIMARY KEY (id),
  constraint subscribers_check CHECK ((address IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX subscribers_address ON subscribers USING btree (lower(address));
CREATE INDEX subscribers_address_hmac ON subscribers USING btree (address_hmac);
CREATE INDEX subscribers_address_part ON subscribers USING gin (lower(address) gin_trgm_ops);

create table subscriptions (
  subscriber_id bigint not null,
  newsletter_id bigint not null,
  state text not null,
  ended_reason text,
  leave_reason text,
  cadence text not null,
  alerts boolean default false not null,
  sections bigint[] default '{}'::bigint[] not null,
  paused_until timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  activated_at timestamp with time zone,
  ended_at timestamp with time zone,
  updated_at timestamp with time zone default now() not null,
  constraint subscriptions_pkey PRIMARY KEY (subscriber_id, newsletter_id),
  constraint subscriptions_cadence_check CHECK (cadence = ANY (ARRAY['daily'::text, 'weekly'::text, 'alert'::text])),
  constraint subscriptions_check CHECK ((state = 'ended'::text) = (ended_reason IS NOT NULL)),
  constraint subscriptions_ended_reason_check CHECK (ended_reason = ANY (ARRAY['unsubscribed'::text, 'bounced'::text, 'complained'::text, 'erased'::text, 'expired'::text, 'refused'::text])),
  constraint subscriptions_state_check CHECK (state = ANY (ARRAY['pending'::text, 'active'::text, 'ended'::text])),
  constraint subscriptions_newsletter_id_fkey FOREIGN KEY (newsletter_id) REFERENCES newsletters(id),
  constraint subscriptions_subscriber_id_fkey FOREIGN KEY (subscriber_id) REFERENCES subscribers(id)
);
CREATE INDEX subscriptions_audience ON subscriptions USING btree (newsletter_id, cadence, subscriber_id) WHERE (state = 'active'::text);
CREATE INDEX subscriptions_chosen ON subscriptions USING gin (sections) WHERE ((state = 'active'::text) AND (sections <> '{}'::bigint[]));
CREATE INDEX subscriptions_not_active ON subscriptions USING btree (newsletter_id, state, subscriber_id) WHERE (state <> 'active'::text);
CREATE TRIGGER subscriptions_changed AFTER UPDATE ON subscriptions REFERENCING OLD TABLE AS lost NEW TABLE AS gained FOR EACH STATEMENT EXECUTE FUNCTION count_readers();
CREATE TRIGGER subscriptions_gained AFTER INSERT ON subscriptions REFERENCING NEW TABLE AS gained FOR EACH STATEMENT EXECUTE FUNCTION count_readers();
CREATE TRIGGER subscriptions_lost AFTER DELETE ON subscriptions REFERENCING OLD TABLE AS lost FOR EACH STATEMENT EXECUTE FUNCTION count_readers();

create table suppressions (
  id bigint generated always as identity not null,
  address_hmac bytea not null,
  key_id text not null,
  reason text not null,
  detail text,
  created_at timestamp with time zone default now() not null,
  created_by bigint,
  constraint suppressions_pkey PRIMARY KEY (address_hmac),
  constraint suppressions_id_key UNIQUE (id),
  constraint suppressions_reason_check CHECK (reason = ANY (ARRAY['bounced'::text, 'complained'::text, 'erased'::text, 'manual'::text]))
);

create table variant_readers (
  variant_id bigint not null,
  digest_id bigint not null,
  first_id bigint not null,
  last_id bigint not null,
  is_sure boolean not null,
  subscriber_ids bigint[] not null,
  constraint variant_readers_pkey PRIMARY KEY (variant_id, first_id),
  constraint variant_readers_digest_id_fkey FOREIGN KEY (digest_id) REFERENCES digests(id) ON DELETE CASCADE,
  constraint variant_readers_variant_id_fkey FOREIGN KEY (variant_id) REFERENCES variants(id) ON DELETE CASCADE
);
CREATE INDEX variant_readers_digest ON variant_readers USING btree (digest_id);
CREATE INDEX variant_readers_range ON variant_readers USING gist (int8range(first_id, last_id, '[]'::text));

create table variants (
  id bigint generated always as identity not null,
  digest_id bigint not null,
  article_ids bigint[] not null,
  readers integer default 0 not null,
  skeleton jsonb,
  replaced_by bigint,
  constraint variants_pkey PRIMARY KEY (id),
  constraint variants_digest_id_article_ids_key UNIQUE (digest_id, article_ids),
  constraint variants_digest_id_fkey FOREIGN KEY (digest_id) REFERENCES digests(id) ON DELETE CASCADE,
  constraint variants_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES variants(id)
);

create table view_keys (
  date date not null,
  key bytea not null,
  constraint view_keys_pkey PRIMARY KEY (date)
);

create table workers (
  id uuid not null,
  started_at timestamp with time zone default clock_timestamp() not null,
  beat_at timestamp with time zone default clock_timestamp() not null,
  obstacle text,
  generation smallint default 0 not null,
  constraint workers_pkey PRIMARY KEY (id)
);

create table written_responses (
  id bigint generated always as identity not null,
  article_id bigint not null,
  responder_id bigint,
  kind text not null,
  guid text not null,
  author text not null,
  author_url text,
  html text not null,
  language text not null,
  state text not null,
  written_at timestamp with time zone not null,
  mailed_at timestamp with time zone,
  held_at timestamp with time zone,
  decided_at timestamp with time zone,
  constraint written_responses_pkey PRIMARY KEY (id),
  constraint written_responses_guid_key UNIQUE (guid),
  constraint written_responses_kind_check CHECK (kind = ANY (ARRAY['response'::text, 'trackback'::text])),
  constraint written_responses_state_check CHECK (state = ANY (ARRAY['unconfirmed'::text, 'held'::text, 'published'::text, 'refused'::text])),
  constraint written_responses_article_id_fkey FOREIGN KEY (article_id) REFERENCES articles(id) ON DELETE CASCADE,
  constraint written_responses_responder_id_fkey FOREIGN KEY (responder_id) REFERENCES responders(id) ON DELETE SET NULL
);
CREATE INDEX written_responses_article ON written_responses USING btree (article_id);
CREATE INDEX written_responses_held ON written_responses USING btree (held_at) WHERE (state = 'held'::text);
CREATE INDEX written_responses_mailed ON written_responses USING btree (mailed_at);
CREATE INDEX written_responses_responder ON written_responses USING btree (responder_id);
CREATE INDEX written_responses_state ON written_responses USING btree (state, id);

create view selection_names as
 SELECT selections.kind,
    selections.slug,
    selections.id
   FROM selections
UNION ALL
 SELECT selection_slugs.kind,
    selection_slugs.slug,
    selection_slugs.selection_id AS id
   FROM selection_slugs;

CREATE OR REPLACE FUNCTION public.append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is append-only', tg_table_name;
end $function$;

CREATE OR REPLACE FUNCTION public.count_deliveries()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  here text := (select zone from publication);
begin
  if tg_op = 'INSERT' then
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone here)::date end, count(*)
    from gained group by 1, 2, 3;
  elsif tg_op = 'DELETE' then
    if current_setting('depeche.keeps_counts', true) = 'on' then return null; end if;
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone here)::date end, -count(*)
    from lost group by 1, 2, 3;
  else
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone here)::date end, sum(change)
    from (
      select digest_id, state, accepted_at, 1 as change from gained
      union all
      select digest_id, state, accepted_at, -1 from lost
    ) changed
    group by 1, 2, 3 having sum(change) <> 0;
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.count_readers()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op <> 'DELETE' then
    insert into reader_counts (newsletter_id, n)
    select newsletter_id, count(*) from gained where state = 'active' group by 1;
  end if;
  if tg_op <> 'INSERT' then
    insert into reader_counts (newsletter_id, n)
    select newsletter_id, -count(*) from lost where state = 'active' group by 1;
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.fold_text(text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE COST 500
AS $function$
begin
  return replace(translate(
    regexp_replace(lower(normalize($1, nfkd)), '[\u0300-\u036f\u0640\u064b-\u065f\u0670]', '', 'g'), 'ٱى’', 'اي'''), 'œ', 'oe');
end $function$;

CREATE OR REPLACE FUNCTION public.total_views()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into article_totals values (new.id, new.views_total)
  on conflict (article_id) do update set n = excluded.n;
  return null;
end $function$;
