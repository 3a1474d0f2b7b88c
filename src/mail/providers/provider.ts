import { hash } from 'node:crypto'
import type { Diagnosis } from '../../domain/delivery/diagnosis.ts'
import type { EventKind, ProviderEvent } from '../../domain/deliverability/provider-event.ts'
import { findReply, forRecord, longestAnswer, statusIn } from '../inbound/report-text.ts'
import { dayMs } from '../../domain/time.ts'

/** One POST of a provider: its bytes as they were signed, and what they hold. */
export interface Posting {
  body: Buffer
  json: unknown
  header: (name: string) => string | undefined
}

/** What a posting is proven by. */
export interface ProofSettings {
  key: string | undefined
  /** Of Amazon SNS, once confirmed. */
  topic: string | undefined
}

export interface ProofTools {
  at: Date
  /** GET of an https URL whose host was judged. @throws DomainError `provider_unreachable` */
  fetch: (url: string) => Promise<string>
}

export interface Reading {
  events: ProviderEvent[]
  /** Signed once for one event: with another it proves nothing. */
  token?: string
  /** A subscription that waits for our yes. */
  confirmation?: { topic: string; url: string }
}

/** One provider: whether a posting is its own, and what it says. Nothing it holds makes it throw, but for `generic`. */
export interface Provider {
  /** Undefined where the posting is not proven. */
  read(
    posting: Posting,
    settings: ProofSettings,
    tools: ProofTools,
  ): Reading | undefined | Promise<Reading | undefined>
  /** A key as it is kept; undefined where it cannot be one. */
  readKey?(text: string): string | undefined
}

/** As long as providers try again, and shorter than event ids are kept. */
const windowMs = dayMs
const aheadMs = 10 * 60 * 1000

export const isInWindow = (signedAtMs: number, at: Date): boolean =>
  signedAtMs > at.getTime() - windowMs && signedAtMs < at.getTime() + aheadMs

/** The value at a path of a JSON document; undefined wherever there is none. */
export function valueAt(value: unknown, ...path: string[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

/** A text or number there; empty wherever there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  const found = valueAt(value, ...path)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : ''
}

export const listAt = (value: unknown, ...path: string[]): unknown[] => {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found : []
}

/** What a table says of a name; what every object has by itself is no entry. */
export const entryOf = <Value>(table: Record<string, Value>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** What a provider's name for an event means, by its names for each kind. */
export function kindFinder(names: Partial<Record<EventKind, string>>): (name: string) => EventKind {
  const kinds = new Map(
    Object.entries(names).flatMap(([kind, list]) =>
      list.split(' ').map((name) => [name, kind as EventKind] as const),
    ),
  )
  return (name) => kinds.get(name) ?? 'other'
}

/** For events that have no name: the same for the same event. */
export const idOf = (...parts: string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')

/** Our seals in what a provider hands back: of our own header, where a hyphen stands for the dot, and of Message-IDs. */
export const sealsIn = (...texts: string[]): string[] =>
  texts.flatMap((text) =>
    Array.from(
      text.slice(0, 1_000).matchAll(/(?<![\w.-])([a-z2-7]{1,50})[-.]([a-z2-7]{13})(?![\w.-])/gi),
      ([, id, mac]) => `${id}.${mac}`,
    ).slice(0, 3),
  )

/**
 * What an event says of a refusal. The words of the server that refused are heard first, then the codes that the
 * provider gives, then its verdict: a status such as 5.0.0 for "hard".
 */
export function diagnose(
  said: string,
  verdict: string,
  given: { status?: string; code?: string } = {},
): Diagnosis {
  const reply = findReply(said)
  const givenCode = /^[45][0-5]\d$/.test(given.code ?? '') ? Number(given.code) : undefined
  const code = reply.code ?? (String(givenCode).startsWith(verdict.slice(0, 1)) ? givenCode : undefined)
  const stated = [reply.status, statusIn(given.status ?? '')].find(
    (status) => status && !status.endsWith('.0.0'),
  )
  const status = stated ?? (code === undefined ? verdict : `${String(code).slice(0, 1)}${verdict.slice(1)}`)
  return { stage: 'report', code, status, text: forRecord(said, longestAnswer) }
}

/** Not even tried, because the provider keeps a list: whatever put the address there, it is no proof against a person. */
export const keptBack: Diagnosis = { stage: 'report', status: '5.2.1', text: 'kept back by the provider' }
