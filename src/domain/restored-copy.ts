/** Which database this is, as far as it can tell. */
export interface Identity {
  /** Cluster and database: a dump restored elsewhere, or beside the original, has another. */
  system: string
  /** Grows with every promotion and every recovery to a point in time. */
  timeline: number
  /** When the files of the cluster came to where they are, which no copy of them takes along; '' where we may not ask. */
  files: string
  /** False where this role may not ask for the cluster's identity. */
  isWhole: boolean
}

/** What is written down of the database that sends. */
export interface Recorded {
  /** False where these rows were written by a restore, into whichever database. */
  isStamped: boolean
  /** Undefined where no worker has run yet. */
  guard: Guard | undefined
}

export interface Guard extends Omit<Identity, 'isWhole'> {
  /** How long ago a worker last said that all was well. */
  silentSeconds: number
  isHeld: boolean
}

/** A promotion of a standby leaves a shorter gap than this; a restored copy seldom does. */
const longestFailoverSeconds = 300

/**
 * `new`: nothing was ever sent from here. `same`: the one that sends. `promoted`: a standby of it that took over.
 * `copy`: it may not send before a person has said so.
 */
export type InstanceState = 'new' | 'same' | 'promoted' | 'copy'

/** A hold too many is a nuisance, one too few mails everybody. */
export function judgeInstance(identity: Identity, { isStamped, guard }: Recorded): InstanceState {
  if (!isStamped) return 'copy'
  if (!guard) return 'new'
  if (guard.isHeld || identity.system !== guard.system) return 'copy'
  const isSamePlace = identity.files === guard.files || identity.files === '' || guard.files === ''
  if (identity.timeline === guard.timeline && isSamePlace) return 'same'
  const isPromoted = identity.timeline > guard.timeline && guard.silentSeconds <= longestFailoverSeconds
  return isPromoted ? 'promoted' : 'copy'
}
