-- A slug that a selection had, or that one which became part of it had: its old pages and feeds lead here, and who still
-- writes it means this one.
create table selection_slugs (
  kind text not null,
  slug text not null,
  selection_id bigint not null references selections on delete cascade,
  primary key (kind, slug)
);
create index selection_slugs_selection on selection_slugs (selection_id);

create view selection_names as
  select kind, slug, id from selections
  union all
  select kind, slug, selection_id from selection_slugs;
