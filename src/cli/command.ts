import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { Actor } from '../domain/editor.ts'
import { printResult } from './output.ts'

/** Whoever can run commands on the machine may do everything; the audit log says `cli`. */
export const cliActor: Actor = { kind: 'cli', role: 'admin' }

/** Runs `work` on the context of `openContext`, which takes half a second and 80 MB to load: help does without. */
export async function withContext<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const { openContext } = await import('./open-context.ts')
  return openContext(work)
}

export interface JsonOption {
  json?: boolean
}

/** A command that prints its result for programs where they say `--json`. */
export const withJson = (parent: Command, name: string, description = ''): Command =>
  parent.command(name).description(description).option('--json', 'print the result for programs')

/** The action of such a command. @param work returns the result, and the lines that tell it to people */
export const answer =
  <Given extends unknown[]>(
    work: (context: Context, ...given: Given) => Promise<readonly [result: unknown, lines: string[]]>,
  ) =>
  async (...given: Given): Promise<void> => {
    const [result, lines] = await withContext((context) => work(context, ...given))
    // Commander hands over the arguments, the options, and the command.
    printResult(given.at(-2) as JsonOption, result, lines)
  }
