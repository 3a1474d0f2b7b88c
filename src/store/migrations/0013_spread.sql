-- A first large digest from a domain that has sent little goes out over days, the newest readers first. Who waits for a
-- later day is `deferred` with the reason `spread`, until then.
alter table digests
  -- What an editor answered; null where nobody did.
  add spread boolean,
  -- How many the last portion was for; null where all go at once.
  add spread_portion integer,
  -- When the next goes; null once nobody waits.
  add spread_next_at timestamptz,
  add spread_waiting integer not null default 0,
  -- Why the last portion was not larger than the one before.
  add spread_held text;
create index digests_spread on digests (spread_next_at) where spread_next_at is not null;

-- What became of a portion; the complaints and returns of one digest.
create index bounces_digest on bounces (digest_id) where digest_id is not null;
