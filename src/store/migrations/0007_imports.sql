-- An import of subscribers: how far it is, and what became of its rows. No address stands here.
create table imports (
  id bigint generated always as identity primary key,
  -- editor:3, key:7, cli
  actor text not null,
  state text not null default 'uploading' check (state in ('uploading', 'waiting', 'running', 'done', 'failed')),
  is_dry_run boolean not null,
  -- How consent was given, in words of an admin; null: everyone is asked by mail.
  basis text,
  -- What the upload was found to be: encoding, separator, header.
  format jsonb not null default '{}',
  -- Lines of the upload, which rows are fewer than.
  lines bigint not null default 0,
  -- Committed with what became of them: whoever goes on leaves out as many.
  rows_read bigint not null default 0,
  report jsonb not null default '{}',
  -- Of the first thousand invalid rows.
  problems jsonb not null default '[]',
  -- When its first activation mail goes.
  first_mail_at timestamptz,
  -- Claims since rows were last committed.
  attempts int not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz
);
create index imports_open on imports (id) where state in ('waiting', 'running');

-- The upload, until the import has ended.
create table import_pieces (
  import_id bigint not null references imports on delete cascade,
  number int not null,
  bytes bytea not null,
  primary key (import_id, number)
);
-- To compress each piece would cost more than it saves in the few minutes that it is kept.
alter table import_pieces alter column bytes set storage external;

-- What a dry run has promised whom, for a file may name one twice. Without the log: a crash makes its count worse, no more.
create unlogged table import_promises (
  import_id bigint not null references imports on delete cascade,
  address_hmac bytea not null,
  -- 0: suppressed, whatever the newsletter.
  newsletter_id bigint not null,
  state text not null,
  primary key (import_id, address_hmac, newsletter_id)
);

-- When consent was given and where, as an import states it; null: when and as the row says.
alter table consents add column given_at timestamptz;
alter table consents add column source text;
