import { dayMs, minuteMs } from './time.ts'

/** How long a link that signs an editor in works. */
export const signInLinkLifetimeMs = 30 * minuteMs
/** A session ends after this, however much it is used: the editor signs in again. */
export const sessionLifetimeMs = 30 * dayMs
/** A session ends when it was not used for so long. */
export const sessionIdleMs = 3 * dayMs
