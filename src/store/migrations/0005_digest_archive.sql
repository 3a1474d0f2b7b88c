-- When what the archive shows of a digest changed after it went out: a story of it was withdrawn, or came back.
-- Null: never. Feeds say it as the `updated` of the entry.
alter table digests add column archive_changed_at timestamptz;
