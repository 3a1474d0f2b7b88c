-- Whether readers may respond under open articles, and whether other sites may tell that they link to one.
alter table publication
  add column responses text not null default 'off' check (responses in ('off', 'on')),
  add column trackbacks text not null default 'off' check (trackbacks in ('off', 'on'));

-- Who has written a response: the only place of their addresses, beside the mail that asks to confirm.
create table responders (
  id bigint generated always as identity primary key,
  address text not null,
  last_response_at timestamptz not null
);
create unique index responders_address on responders (lower(address));
create index responders_last on responders (last_response_at);

-- What readers and other sites have written here, whatever became of it. `responses` has what is public, and nothing else:
-- a version before this one would show readers all of it.
create table written_responses (
  id bigint generated always as identity primary key,
  article_id bigint not null references articles on delete cascade,
  responder_id bigint references responders on delete set null,
  kind text not null check (kind in ('response', 'trackback')),
  -- Of the response, once it is public, and whenever it is again.
  guid text not null unique,
  author text not null,
  author_url text,
  html text not null,
  language text not null,
  state text not null check (state in ('unconfirmed', 'held', 'published', 'refused')),
  written_at timestamptz not null,
  -- When the mail that asks to confirm was decided; null: none goes.
  mailed_at timestamptz,
  held_at timestamptz,
  decided_at timestamptz
);
create index written_responses_state on written_responses (state, id);
create index written_responses_held on written_responses (held_at) where state = 'held';
create index written_responses_article on written_responses (article_id);
create index written_responses_responder on written_responses (responder_id);
create index written_responses_mailed on written_responses (mailed_at);

-- Its address stands in the row as well: a version before this one passes over mails that seem to have lost theirs.
alter table outbox
  add column responder_id bigint references responders on delete cascade,
  drop constraint outbox_kind_check,
  add constraint outbox_kind_check check (kind in (
    'activation', 'reminder', 'already-subscribed', 'preferences-link', 'address-change', 'address-changed',
    'newsletter-ended', 'welcome', 'sign-in', 'digest-test', 'desk-notice', 'invitation', 'response'));
create index outbox_responder on outbox (responder_id) where responder_id is not null;

-- Whose articles are an editor's own, by the author's slug, and when they were last told of a response under one.
alter table editors
  add column author text,
  add column told_at timestamptz;
