import type { SendingTimes } from '../../src/store/leases.ts'

/** Leases that run out within a test. A machine so slow that a heartbeat misses them makes copies within the bound. */
export const faultTimes: SendingTimes = { leaseSeconds: 4, backOffMinutes: [0.02, 0.05, 0.1] }
