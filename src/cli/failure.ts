/** Wrong use: a sentence for the person and exit code 2. */
export class UsageError extends Error {}

/** A failure that was put into words already. */
export class ToldError extends Error {}

/** Runs a command to its exit code: 0 done, 1 failed with one sentence, 2 wrong use. No stack for a person. */
export async function runToExitCode(run: () => Promise<unknown>): Promise<number> {
  try {
    await run()
    return 0
  } catch (error) {
    const sentence = await describe(error)
    if (sentence) process.stderr.write(`${sentence}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function describe(error: unknown): Promise<string> {
  if (error instanceof UsageError || error instanceof ToldError) return error.message
  const { sentenceOf } = await import('./sentence-of.ts')
  return sentenceOf(error)
}
