-- Set when one of its articles was withdrawn: what is still sent of this version goes out as that one. Null: as it is.
alter table variants add column replaced_by bigint references variants;
