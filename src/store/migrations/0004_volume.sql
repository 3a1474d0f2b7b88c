-- What a large audience needs: indexes for what was read in full, and counts that are kept instead of made.

-- Deleting a request looks for its mails.
create index outbox_activation on outbox (activation_id) where activation_id is not null;
create index outbox_subscriber on outbox (subscriber_id) where subscriber_id is not null;
create index activations_address on activations (lower(address));
create index consents_at on consents (at);

-- When nothing of a cancelled digest waits any more, so that nobody looks again.
alter table digests add settled_at timestamptz;
create index digests_unsettled on digests (id) where state = 'cancelled' and settled_at is null;

-- Searching people by a part of their address. Some servers do not let us have the extension: the search then reads
-- every address, and `depeche doctor` says so.
do $$
begin
  create extension if not exists pg_trgm;
  create index subscribers_address_part on subscribers using gin (lower(address) gin_trgm_ops);
exception when insufficient_privilege or feature_not_supported or undefined_file or undefined_object then
  raise notice 'pg_trgm cannot be had here: searching people reads every address';
end $$;

-- What readers would get of a digest that is not prepared yet: [{articleIds, readers}], and when that was counted. Looking
-- at it shows this, and counts nothing.
alter table digests add plans jsonb, add refreshed_at timestamptz;
