export interface SendingTimes {
  /** How long a row stays its worker's without a heartbeat. */
  leaseSeconds: number
  /** Waits after the first, second … failed attempt; the last one repeats. */
  backOffMinutes: readonly number[]
  /** How long nothing is tried after trouble with the server; doubled each time, up to a minute. */
  troubleSeconds: number
  /** Waits before the relay is asked again after it has refused us; the last one repeats. */
  relayBackOffMinutes: readonly number[]
}

/** A lease is longer than any time limit of a conversation, but for the wait after the final dot: heartbeats cover that. */
export const sendingTimes: SendingTimes = {
  leaseSeconds: 60,
  backOffMinutes: [1, 5, 15, 60, 240],
  troubleSeconds: 5,
  relayBackOffMinutes: [1, 5, 15, 60],
}
