-- Whether a section stands in the menu and on the signup form; its page and feeds are there either way.
alter table selections add column listed boolean not null default true;
