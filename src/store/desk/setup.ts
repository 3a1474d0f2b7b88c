import { getRow, type Executor } from '../executor.ts'

/** What a newsroom sets up, in this order, and whether the data say that it was done. */
export interface Setup {
  identity: boolean
  articles: boolean
  newsletter: boolean
  sending: boolean
  test: boolean
  colleague: boolean
  form: boolean
}

export function setupStore(db: Executor) {
  return {
    /** @param isSending whether a relay has taken mail */
    get: (isSending: boolean) => getRow<Setup>(db)`
      select name <> 'Dépêche' and postal_address is not null as identity,
        exists (select from articles) or exists (select from sources) as articles,
        exists (select from newsletters) as newsletter,
        ${isSending}::boolean as sending,
        exists (select from digests where started_at is not null)
          or exists (select from outbox where kind = 'digest-test' and state = 'accepted') as test,
        (select count(*) from editors where removed_at is null) > 1 as colleague,
        exists (select from consents where event = 'requested' and form in ('embed', 'api')) as form
      from publication`,
  }
}
