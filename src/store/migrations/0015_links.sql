-- Where links to articles lead: to their pages here, or to the newsroom's own; how much of their text feeds show.
alter table publication
  add links text not null default 'here' check (links in ('here', 'canonical')),
  -- Null: in full, where links lead home a summary.
  add feed_text text check (feed_text in ('full', 'summary'));
