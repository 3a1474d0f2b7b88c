-- Set when one of its articles was withdrawn: what is still sent of this version goes out as that one. Null: as it is.
alter table variants add column replaced_by bigint references variants;

-- Which instance_guard is the original. A row that a restore has written was written in another transaction than it says,
-- and a table that a restore has made has another oid: then everything is held. Do not rewrite this table.
create table if not exists instance_stamp (
  only_row boolean primary key default true check (only_row),
  guard_oid oid not null,
  written_in text not null
);
-- What sends today goes on. A heartbeat every five seconds has moved the guard's row; one that lies where a first
-- insert puts it was restored from a dump of before this table, or never beat twice.
insert into instance_stamp (guard_oid, written_in)
select 'instance_guard'::regclass, pg_current_xact_id()::xid::text
where not exists (select from instance_guard where ctid = '(0,1)')
on conflict do nothing;
