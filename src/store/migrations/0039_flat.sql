-- Views of an article in all, beside its row: the most read are found without reading articles, and a view changes no index
-- of theirs.
create table article_totals (
  article_id bigint primary key references articles on delete cascade,
  n bigint not null
);
create index article_totals_most on article_totals (n desc, article_id desc);

create function total_views() returns trigger language plpgsql as $$
begin
  insert into article_totals values (new.id, new.views_total)
  on conflict (article_id) do update set n = excluded.n;
  return null;
end $$;
create trigger articles_viewed after insert or update of views_total on articles
  for each row when (new.views_total > 0) execute function total_views();
insert into article_totals select id, views_total from articles where views_total > 0;

-- How many articles a section has, without reading them.
create index articles_published on articles (id) include (language) where state = 'published';
