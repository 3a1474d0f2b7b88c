-- Whether links to the newsroom's own pages say which newsletter they stand in.
alter table newsletters add column link_tags boolean not null default false;
