-- Hosted relays that report to us, each under an address of its own.
create table providers (
  name text primary key check (name in ('ses', 'mailgun', 'sendgrid', 'postmark', 'brevo', 'generic')),
  -- In the address that the newsroom gives them; kept as it is, because an admin must be able to read it again.
  token text not null,
  -- What their signature is checked by.
  key text,
  -- Of Amazon SNS: the first that was confirmed.
  topic text,
  created_at timestamptz not null default clock_timestamp(),
  tested_at timestamptz,
  test_outbox_id bigint,
  -- When an event about the test mail came.
  test_seen_at timestamptz
);

-- What was heard once changes nothing when it is heard again; kept for thirty days.
create table provider_events (
  provider text not null references providers (name) on delete cascade,
  event_id text not null,
  -- What signed it, where a signature is good for one event.
  token text,
  at timestamptz not null default clock_timestamp(),
  primary key (provider, event_id)
);
create unique index provider_events_token on provider_events (provider, token) where token is not null;
create index provider_events_at on provider_events (at);

create table provider_counts (
  provider text not null references providers (name) on delete cascade,
  kind text not null,
  n bigint not null default 0,
  -- Of them, those about no mail of ours.
  strange_n bigint not null default 0,
  last_at timestamptz not null,
  primary key (provider, kind)
);

-- The relay's name for a message, kept while providers report to us: some events hold nothing else of it.
alter table deliveries add column relay_id text;
alter table outbox add column relay_id text;
create index deliveries_relay on deliveries (relay_id) where relay_id is not null;
create index outbox_relay on outbox (relay_id) where relay_id is not null;
