-- A list that an editor has put together and in order. Articles that are withdrawn stay in it, unseen.
create table picks (
  id bigint generated always as identity primary key,
  slug text not null unique,
  -- By language.
  names jsonb not null,
  article_ids bigint[] not null default '{}',
  -- Readers see it from the one to the other; null: always.
  starts_at timestamptz,
  ends_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
