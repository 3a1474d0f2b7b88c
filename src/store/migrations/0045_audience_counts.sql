-- A large audience as it was counted last, by what its readers chose and have: composing and looking count nothing then.
create table audience_counts (
  newsletter_id bigint not null references newsletters (id) on delete cascade,
  -- Of the cadence, and of the earlier versions and digests that were looked at.
  basis text not null,
  -- How many read the newsletter, and have something of those digests: by these one sees that it is no longer true.
  readers bigint not null,
  had bigint not null,
  -- [{sections, variantIds, barred, readers}]
  groups jsonb not null,
  counted_at timestamptz not null default now(),
  primary key (newsletter_id, basis)
);
