/** Where a process of the fault suite ends without a word. */
export const killPoints = [
  'after-claim',
  'before-mail',
  'mid-body',
  'after-committing',
  'after-dot',
  'after-250',
  'after-accepted',
] as const

/** The same on the way from a form to its activation mail; then come the steps of every mail. */
export const signupKillPoints = {
  web: ['before-request', 'after-request', 'after-ring'],
  worker: ['after-undecided', 'before-decision', 'after-decision'],
} as const

const allSteps = [...killPoints, ...signupKillPoints.web, ...signupKillPoints.worker]
export type KillPoint = (typeof allSteps)[number]

export type ReachPoint = (step: KillPoint) => void

/**
 * @param killAt `step:n` ends the process with SIGKILL when it comes by that step for the n-th time
 * @throws Error for a step that does not exist
 */
export function createKillPoints(killAt: string | undefined): ReachPoint {
  if (killAt === undefined) return () => undefined
  const [step, count = '1'] = killAt.split(':')
  if (!allSteps.includes(step as KillPoint)) {
    throw new Error(`KILL_AT names no step; there are ${allSteps.join(', ')}`)
  }
  let left = Number(count)
  return (reached) => {
    if (reached !== step || --left !== 0) return
    process.kill(process.pid, 'SIGKILL')
  }
}
