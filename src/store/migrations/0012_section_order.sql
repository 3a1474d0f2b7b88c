-- What an import or an article brings along stands behind what the desk has put in order; both had the place 0.
alter table selections alter column position set default 1000;
update selections set position = 1000
where position = 0
  -- The first of an order may well have the place 0.
  and id not in (
    select min(id) from selections where position = 0 and kind in (select kind from selections where position > 0)
    group by kind);
