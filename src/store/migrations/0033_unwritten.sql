-- Mails that wait for somebody who can write them are looked for every ten minutes, among all that were ever sent.
create index outbox_unwritten on outbox (id) where state = 'rejected' and reason = 'not_written';
