-- When readers were told of the correction that stands below a text; null: before this was kept.
alter table articles add column corrected_at timestamptz;
