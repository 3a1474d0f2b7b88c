/** Where a process of the fault suite ends without a word. */
export const faultSteps = [
  'after-claim',
  'before-mail',
  'mid-body',
  'after-committing',
  'after-dot',
  'after-250',
  'after-accepted',
] as const

/** The same on the way from a form to its activation mail; then come the steps of every mail. */
export const signupSteps = {
  web: ['before-request', 'after-request', 'after-ring'],
  worker: ['after-undecided', 'before-decision', 'after-decision'],
} as const

const allSteps = [...faultSteps, ...signupSteps.web, ...signupSteps.worker]
export type FaultStep = (typeof allSteps)[number]

/** Called at every step of every mail and signup. */
export type Faults = (step: FaultStep) => void

/**
 * @param faultAt `step:n` ends the process with SIGKILL when it comes by that step for the n-th time
 * @throws Error for a step that does not exist
 */
export function createFaults(faultAt: string | undefined): Faults {
  if (faultAt === undefined) return () => undefined
  const [step, count = '1'] = faultAt.split(':')
  if (!allSteps.includes(step as FaultStep)) {
    throw new Error(`FAULT_AT names no step; there are ${allSteps.join(', ')}`)
  }
  let left = Number(count)
  return (reached) => {
    if (reached !== step || --left !== 0) return
    process.kill(process.pid, 'SIGKILL')
  }
}
