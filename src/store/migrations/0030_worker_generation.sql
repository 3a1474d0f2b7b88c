-- What a worker can send: one that does not say it is of a version before letters, which would pass over their readers.
alter table workers add column generation smallint not null default 0;
