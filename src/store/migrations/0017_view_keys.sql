-- What a day's visitors are told apart by: gone with the day, so that nobody can be recognised afterwards.
create table view_keys (
  date date primary key,
  key bytea not null
);
