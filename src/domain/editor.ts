/** What a person of the desk, or a key, may do; each role includes the ones before it. Each route says which it needs. */
export const roles = ['viewer', 'editor', 'admin'] as const
export type Role = (typeof roles)[number]

export const mayActAs = (held: Role, needed: Role): boolean => roles.indexOf(held) >= roles.indexOf(needed)

export const lowerRole = (one: Role, other: Role): Role => (mayActAs(one, other) ? other : one)

/** A person of the desk. */
export interface Editor {
  id: number
  email: string
  role: Role
  /** Of the desk's pages and mails. */
  language: string
  /** Slug of the author whose articles are theirs: told of responses under them. */
  author: string | null
  createdAt: Date
}

/** Who acts: what roles are judged by, and what the audit log keeps. */
export type Actor =
  | { kind: 'editor'; id: number; role: Role }
  | { kind: 'key'; id: number; role: Role }
  | { kind: 'cli'; role: 'admin' }
  | { kind: 'system'; role: 'admin' }

/** `editor:3`, `key:7`, `cli`, `system`. */
export const nameOfActor = (actor: Actor): string =>
  'id' in actor ? `${actor.kind}:${actor.id}` : actor.kind
