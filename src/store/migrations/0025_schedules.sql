-- A schedule says when the digests of a cadence go out. What a row of `newsletter_cadences` can say stays there, as the
-- version before reads it; any other is kept here, by cadence, and has no row: that version opens and moves nothing by
-- it. An object, for that version writes back what it reads of a newsletter, and would write a list as an array.
alter table newsletters add column schedules jsonb not null default '{}';

-- Only where a day has several scheduled digests, so that the one of an ordinary day has the same key in both versions.
alter table digests add column local_time time;
create unique index digests_occurrences on digests (newsletter_id, cadence, local_date, local_time) nulls not distinct
  where local_date is not null;
drop index digests_scheduled_once;
