-- Those who wait or have left, of a newsletter: all of them were read to find the few. Who receives has an index already.
create index subscriptions_not_active on subscriptions (newsletter_id, state, subscriber_id) where state <> 'active';
-- Who chose a section.
create index subscriptions_chosen on subscriptions using gin (sections) where state = 'active' and sections <> '{}';
