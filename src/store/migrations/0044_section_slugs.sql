-- Versions before this one made sections, dossiers and tags without a slug, from names without a letter or digit: nobody
-- could open them.
update selections s set slug = s.kind || '-' || s.id
where s.slug = '' and not exists (
  select from selection_names n where n.kind = s.kind and n.slug = s.kind || '-' || s.id);
