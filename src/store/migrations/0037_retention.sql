-- What stays of a digest's deliveries once their details are no longer kept. From `details_ended_at` on they move, in
-- batches, to how many came to which end by domain, and to who has a story, or may have it, for good.
alter table digests add column details_ended_at timestamptz, add column has_details boolean not null default true;

create table digest_results (
  digest_id bigint not null references digests on delete cascade,
  domain text not null,
  state text not null,
  n bigint not null,
  primary key (digest_id, domain, state)
);

create table variant_readers (
  variant_id bigint not null references variants on delete cascade,
  digest_id bigint not null references digests on delete cascade,
  -- Each batch has a row of its own: an array that grew with every batch would be written as often.
  first_id bigint not null,
  last_id bigint not null,
  is_sure boolean not null,
  subscriber_ids bigint[] not null,
  primary key (variant_id, first_id)
);
create index variant_readers_digest on variant_readers (digest_id);
-- Whoever is erased is found by these alone.
create index variant_readers_range on variant_readers using gist (int8range(first_id, last_id, '[]'));

-- What all workers do together is done by one of them at a time.
create table rounds (
  name text primary key,
  until timestamptz not null
);

-- As it was, but that what moves is counted already.
create or replace function count_deliveries() returns trigger language plpgsql as $$
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
end $$;
