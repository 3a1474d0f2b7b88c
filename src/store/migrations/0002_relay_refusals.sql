-- What the relay says about us is never charged to a reader: a refused mail waits as a suspect until somebody else was
-- taken, a digest waits until the relay takes mail again, and what was recorded too early can be taken back.

alter table deliveries add column suspect_at timestamptz;
alter table outbox add column suspect_at timestamptz;

alter table digests
  -- since when the relay has taken nothing of it, what it said, and when it is asked again
  add column relay_since timestamptz,
  add column relay_answer text,
  add column probe_at timestamptz;

-- what a bounce did beyond its own row, so that it can be taken back
alter table bounces add column effects jsonb;
