-- A newsletter may be hidden, paused or ended. While it is paused or ended its cadences rest in a column, so that
-- whoever reads `newsletter_cadences`, the version before this one included, opens and sends nothing by them.
alter table newsletters
  add state text not null default 'public' check (state in ('public', 'hidden', 'paused', 'ended')),
  add resting_cadences jsonb,
  add reply_to text,
  -- Markdown, mailed after the activation; null: no such mail.
  add welcome text;

alter table digests
  add kind text not null default 'digest' check (kind in ('digest', 'letter')),
  -- The first letter with these words: who has one of them gets none of the others.
  add copy_of bigint references digests;
create index digests_copies on digests (copy_of) where copy_of is not null;

alter table outbox
  drop constraint outbox_kind_check,
  add constraint outbox_kind_check check (kind in (
    'activation', 'reminder', 'already-subscribed', 'preferences-link', 'address-change', 'address-changed',
    'newsletter-ended', 'welcome', 'sign-in', 'digest-test', 'desk-notice', 'invitation'));
