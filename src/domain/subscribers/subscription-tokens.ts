import type { Keyring } from '../keyring.ts'
import { dayMs } from '../time.ts'

/**
 * Every token that a subscriber's mail or page carries. Each is `{data}.{key id}.{128-bit mac}` as the keyring seals
 * it, under a purpose of its own, and none is stored: whoever needs one makes it again.
 *
 * | purpose           | data                                     | opens                                        | until     |
 * | ----------------- | ---------------------------------------- | -------------------------------------------- | --------- |
 * | activation        | {request id}                             | /activate: this request alone                | 7 days    |
 * | unsubscribe       | {subscriber}-{newsletter}-{digest}       | /unsubscribe: this subscription              | no end    |
 * | preferences       | {subscriber}                             | /preferences, address masked                 | no end    |
 * | preferences-fresh | {subscriber}-{seconds since 1970}        | /preferences, with download, address, erasure | 24 hours  |
 * | page              | {what the page shows}@{ms since 1970}    | a form of that page                          | see there |
 *
 * Digest 0 stands for "no digest", as in a mail that welcomes or reminds.
 */
export interface SubscriptionRef {
  subscriberId: number
  newsletterId: number
  digestId: number
}

export const freshLinkLifetimeMs = dayMs

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const sealActivation = (keyring: Keyring, requestId: string): string =>
  keyring.seal('activation', requestId)

/** The id of the request; undefined for anything that is not an activation token of ours. */
export function openActivation(keyring: Keyring, token: string): string | undefined {
  const id = keyring.open('activation', token)
  return id !== undefined && uuid.test(id) ? id : undefined
}

export const sealUnsubscribe = (keyring: Keyring, ref: SubscriptionRef): string =>
  keyring.seal('unsubscribe', `${ref.subscriberId}-${ref.newsletterId}-${ref.digestId}`)

export function openUnsubscribe(keyring: Keyring, token: string): SubscriptionRef | undefined {
  const [subscriberId, newsletterId, digestId] = numbers(keyring.open('unsubscribe', token), 3)
  if (subscriberId === undefined || newsletterId === undefined || digestId === undefined) return undefined
  return { subscriberId, newsletterId, digestId }
}

export const sealPreferences = (keyring: Keyring, subscriberId: number): string =>
  keyring.seal('preferences', String(subscriberId))

/** @param at when the mail that carries it was written */
export const sealFreshPreferences = (keyring: Keyring, subscriberId: number, at: Date): string =>
  keyring.seal('preferences-fresh', `${subscriberId}-${Math.floor(at.getTime() / 1000)}`)

export interface PreferencesRef {
  subscriberId: number
  /** When a link was mailed on request, for 24 hours: to the address of then, it may show and change who someone is. */
  mailedAt: Date | undefined
}

/** Either link to the preferences; a fresh one that has aged opens what a digest's link opens. */
export function openPreferences(keyring: Keyring, token: string, now: Date): PreferencesRef | undefined {
  const [known] = numbers(keyring.open('preferences', token), 1)
  if (known !== undefined) return { subscriberId: known, mailedAt: undefined }
  const [subscriberId, seconds] = numbers(keyring.open('preferences-fresh', token), 2)
  if (subscriberId === undefined || seconds === undefined) return undefined
  const isFresh = now.getTime() - seconds * 1000 < freshLinkLifetimeMs
  return { subscriberId, mailedAt: isFresh ? new Date(seconds * 1000) : undefined }
}

/** When a button of a page may be pressed: machines press every one at once. */
export const pageAge = { leastMs: 1_000, mostMs: dayMs }

/** Ties a form to the page that showed it. @param name what the page is about, such as a request id */
export const sealPage = (keyring: Keyring, name: string, at: Date): string =>
  keyring.seal('page', `${name}@${at.getTime()}`)

/** How long ago the page was made, in ms; undefined where the nonce is of another page. */
export function pageAgeMs(keyring: Keyring, nonce: string, page: { name: string; now: Date }) {
  const data = keyring.open('page', nonce)
  if (!data?.startsWith(`${page.name}@`)) return undefined
  const age = page.now.getTime() - Number(data.slice(page.name.length + 1))
  return Number.isFinite(age) ? age : undefined
}

function numbers(data: string | undefined, count: number): number[] {
  const parts = data?.split('-') ?? []
  return parts.length === count && parts.every((part) => /^\d{1,15}$/.test(part)) ? parts.map(Number) : []
}
