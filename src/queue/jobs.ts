import { z } from 'zod'

/**
 * A job is a doorbell: it carries an id and nothing else, and a worker that finds no row does no work.
 * Losing every job costs seconds, because the reconciler rings again from PostgreSQL;
 * one that fails is not tried again either (workers/run-job.ts).
 */
const schemas = {
  /** Waiting personal mail. */
  'deliver-mail': z.strictObject({}),
  /** Digests whose time has come, drafts to open, what the desk must hear of. */
  'run-schedules': z.strictObject({}),
  /** Open digests that something public has changed for. */
  'refresh-drafts': z.strictObject({}),
  /** A digest in `preparing`: its audience becomes deliveries. */
  'prepare-digest': z.strictObject({ digestId: z.int().positive() }),
  /** A digest in `sending`. */
  'deliver-digest': z.strictObject({ digestId: z.int().positive() }),
  /** Signup requests that wait for their decision (activation mail, "already subscribed", nothing). */
  'decide-signups': z.strictObject({}),
  /** An import of subscribers that was uploaded. */
  'import-subscribers': z.strictObject({ importId: z.int().positive() }),
  /** Pictures that were uploaded. */
  'make-pictures': z.strictObject({}),
  /** A source to look at. */
  'sync-source': z.strictObject({ sourceId: z.int().positive() }),
  /** Articles whose time has come. */
  'publish-articles': z.strictObject({}),
  /** Feed documents marked dirty. */
  'render-feeds': z.strictObject({}),
} as const

export type JobName = keyof typeof schemas
export const jobNames = Object.keys(schemas) as JobName[]
export type JobPayload<Name extends JobName> = z.infer<(typeof schemas)[Name]>

/** @throws ZodError: a job that does not fit its schema is given up, never retried. */
export function parsePayload<Name extends JobName>(name: Name, data: unknown): JobPayload<Name> {
  return schemas[name].parse(data) as JobPayload<Name>
}

/**
 * What a ring is for: of rings for the same work one waits, and one more while the work is under way. `slot` numbers
 * wake-ups that several workers shall share; work that a dead worker holds is free again when its lock expires, and a
 * ring in another slot does not wait for that.
 */
export function workId<Name extends JobName>(name: Name, payload: JobPayload<Name>, slot = 0): string {
  const subject = Object.values(payload).join('-')
  return [name, subject, `n${slot}`].filter(Boolean).join('-')
}
