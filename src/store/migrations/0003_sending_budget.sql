-- What SMTP_RATE has let out, for all workers together. One row: a worker reads it, and writes what it took where nobody
-- has written meanwhile. No lock is held in between, so a worker that stalls keeps no other from sending.
create table sending_budget (
  only_row boolean primary key default true check (only_row),
  version bigint not null default 0,
  spent jsonb not null
);
