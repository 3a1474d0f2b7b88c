-- Picks that stand at the side of the front page.
alter table picks add column on_front boolean not null default false;
