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

-- Requests that may still be reminded: of an import of a hundred thousand none is.
create index activations_to_remind on activations (decided_at)
  where decision = 'mailed' and kind = 'signup' and form <> 'import'
    and reminded_at is null and activated_at is null and refused_at is null;

-- How many deliveries of a digest are in which state, kept by each statement that changes them, whichever version of the
-- program sent it. A number is the sum of its rows: statements add what they changed, so that none waits for another, and
-- workers put rows together. Nobody counts a million to show where a digest stands.
create table delivery_counts (
  digest_id bigint not null,
  state text not null,
  -- In UTC, of accepted ones.
  day date,
  n bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index delivery_counts_digest on delivery_counts (digest_id);
create index delivery_counts_day on delivery_counts (day) where day is not null;

-- The same of active subscriptions.
create table reader_counts (
  newsletter_id bigint not null,
  n bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create function count_deliveries() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone 'UTC')::date end, count(*)
    from gained group by 1, 2, 3;
  elsif tg_op = 'DELETE' then
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone 'UTC')::date end, -count(*)
    from lost group by 1, 2, 3;
  else
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone 'UTC')::date end, sum(change)
    from (
      select digest_id, state, accepted_at, 1 as change from gained
      union all
      select digest_id, state, accepted_at, -1 from lost
    ) changed
    group by 1, 2, 3 having sum(change) <> 0;
  end if;
  return null;
end $$;

create trigger deliveries_gained after insert on deliveries
  referencing new table as gained for each statement execute function count_deliveries();
create trigger deliveries_lost after delete on deliveries
  referencing old table as lost for each statement execute function count_deliveries();
create trigger deliveries_changed after update on deliveries
  referencing new table as gained old table as lost for each statement execute function count_deliveries();

create function count_readers() returns trigger language plpgsql as $$
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
end $$;

create trigger subscriptions_gained after insert on subscriptions
  referencing new table as gained for each statement execute function count_readers();
create trigger subscriptions_lost after delete on subscriptions
  referencing old table as lost for each statement execute function count_readers();
create trigger subscriptions_changed after update on subscriptions
  referencing new table as gained old table as lost for each statement execute function count_readers();

-- Nobody writes until this is over: making a trigger has locked both tables.
insert into delivery_counts (digest_id, state, day, n)
select digest_id, state, case when state = 'accepted' then (accepted_at at time zone 'UTC')::date end, count(*)
from deliveries group by 1, 2, 3;
insert into reader_counts (newsletter_id, n)
select newsletter_id, count(*) from subscriptions where state = 'active' group by 1;

-- Why a worker that lives sends nothing; null where it can.
alter table workers add obstacle text;
