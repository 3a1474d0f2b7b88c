-- Reports of a newsletter: its digests, and who came and left between them.
create index digests_started on digests (newsletter_id, started_at) where started_at is not null;
create index consents_newsletter on consents (newsletter_id, at)
  where event in ('activated', 'imported', 'restored', 'ended');

-- The day of a delivery is the publication's, as on every page; of those counted before this it stays UTC's.
create or replace function count_deliveries() returns trigger language plpgsql as $$
declare
  here text := (select zone from publication);
begin
  if tg_op = 'INSERT' then
    insert into delivery_counts (digest_id, state, day, n)
    select digest_id, state, case when state = 'accepted' then (accepted_at at time zone here)::date end, count(*)
    from gained group by 1, 2, 3;
  elsif tg_op = 'DELETE' then
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
