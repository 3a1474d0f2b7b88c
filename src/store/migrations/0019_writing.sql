-- A story is written and corrected on the desk.

alter table articles
  -- How the desk wrote it; and the MD5 of the HTML that it made, so that HTML which is written by itself later wins.
  add markdown text,
  add markdown_md5 text,
  -- What readers are told of a correction.
  add correction text,
  add translation_of bigint references articles (id) on delete set null,
  -- Of title, deck and text; null: what was here before this was kept.
  add written_by text,
  add written_at timestamptz;
create index articles_translation_of on articles (translation_of) where translation_of is not null;

-- What an article said before.
create table article_bodies (
  id bigint generated always as identity primary key,
  article_id bigint not null references articles (id) on delete cascade,
  title text not null,
  deck text not null,
  body text not null,
  format text not null check (format in ('html', 'markdown')),
  written_by text,
  written_at timestamptz not null
);
create index article_bodies_article on article_bodies (article_id, id);

-- As people type it in a hurry: no case, no accents, œ as oe, straight apostrophes; Arabic without vowel signs and
-- tatweel, every alef bare, final yā’ with its dots.
-- As slow as it is: not SQL, which the planner would unfold and think cheap.
create function fold_text(text) returns text language plpgsql immutable parallel safe cost 500 as $$
begin
  return replace(translate(
    regexp_replace(lower(normalize($1, nfkd)), '[\u0300-\u036f\u0640\u064b-\u065f\u0670]', '', 'g'), 'ٱى’', 'اي'''), 'œ', 'oe');
end $$;

-- The desk lists the newest first, a draft by when it was begun; to the millisecond, as the places in a list are told.
create index articles_dated on articles
  (date_trunc('milliseconds', coalesce(published_at, created_at) at time zone 'UTC') desc, id desc);
do $$
begin
  create index articles_title_part on articles using gin (fold_text(title) gin_trgm_ops);
exception when undefined_object then
  raise notice 'pg_trgm cannot be had here: searching titles reads each of them';
end $$;
