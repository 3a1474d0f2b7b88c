-- A colleague who was asked to the desk. The mail's link names the row and when it expires, sealed: no token stands here.
create table invitations (
  id bigint generated always as identity primary key,
  email text not null,
  role text not null check (role in ('viewer', 'editor', 'admin')),
  -- Who asked, or whose key did; null: the command line, or a key of it. The editor's role can be no higher.
  invited_by bigint references editors,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  withdrawn_at timestamptz
);
create unique index invitations_open on invitations (lower(email)) where accepted_at is null and withdrawn_at is null;

-- Whether somebody has ever signed up on a site of the newsroom's own.
create index consents_elsewhere on consents (form) where event = 'requested' and form in ('embed', 'api');

alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in (
  'activation', 'reminder', 'already-subscribed', 'preferences-link', 'address-change', 'address-changed', 'sign-in',
  'digest-test', 'desk-notice', 'invitation'));
