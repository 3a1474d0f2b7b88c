-- A picture that the newsroom has uploaded, by the SHA-256 of what was sent. Rows, so that backups, replicas and every web
-- process have it. A worker makes its sizes once; of what was sent nothing is kept, nor the place that its EXIF tells of.
create table media (
  sha256 bytea primary key check (length(sha256) = 32),
  state text not null default 'waiting' check (state in ('waiting', 'made', 'refused')),
  original bytea check ((state = 'waiting') = (original is not null)),
  -- Why it was refused: a code of docs/errors.md.
  refusal text check ((state = 'refused') = (refusal is not null)),
  type text not null,
  -- Upright, in pixels; known once it is made.
  width integer,
  height integer,
  -- Bytes of all its files.
  length integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  -- When it was sent last, or found in use.
  used_at timestamptz not null
);
create index media_waiting on media (created_at) where state = 'waiting';

create table media_files (
  sha256 bytea not null references media on delete cascade,
  -- What it is called by. `width` is smaller where the picture is: none is enlarged.
  size integer not null,
  format text not null check (format in ('webp', 'jpg', 'png')),
  width integer not null,
  height integer not null,
  bytes bytea not null,
  primary key (sha256, format, size)
);
-- They are compressed already.
alter table media alter column original set storage external;
alter table media_files alter column bytes set storage external;

-- Where pictures of ours are in use, without reading every story.
create index articles_media on articles (id) where html like '%/media/%' or picture->>'url' like '%/media/%';
create index article_bodies_media on article_bodies (id) where body like '%/media/%';
