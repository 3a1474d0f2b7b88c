-- The permalink before an import, whatever case its percent-encoding was written in and with or without a last slash.
create index articles_old_address on articles (lower(rtrim(old_path, '/'))) where old_path is not null;

-- `/?p=12` of WordPress: the number of a post that came by an export, or by a feed whose guid holds it.
create index articles_wordpress_post on articles ((substring(external_id from '^wp:.*:([0-9]+)$')))
  where external_id like 'wp:%';
create index articles_wordpress_guid on articles ((substring(guid from '[?&;]p=([0-9]+)$'))) where guid like '%p=%';
