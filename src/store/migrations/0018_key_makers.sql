-- A key made with a key belongs to the person whose key that was: of those made before this was kept, the log tells.
with recursive owned as (
  select id, created_by from api_keys where created_by is not null
  union
  select substr(a.subject, 5)::bigint, o.created_by
  from owned o join audit a on a.actor = 'key:' || o.id and a.action = 'key.created'
)
update api_keys k set created_by = o.created_by from owned o where k.id = o.id and k.created_by is null;
