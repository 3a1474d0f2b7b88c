-- Texts of the publication per language, {"name": {"ar": "…"}}. Name, description, desk name and postal address of the
-- first language stay in their columns, which the version before this one goes on reading and writing; jsonb holds
-- objects alone, because that version writes back whatever it has read.
alter table publication
  add column texts jsonb not null default '{}' check (jsonb_typeof(texts) = 'object'),
  -- {"accent": "#9d1f19", "logo": …}
  add column look jsonb not null default '{}' check (jsonb_typeof(look) = 'object');
