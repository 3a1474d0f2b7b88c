import type { Command } from 'commander'
import { cliActor, withContext } from './command.ts'

export function restoreCommand(program: Command): void {
  program
    .command('restore')
    .description('after a backup was restored')
    .command('confirm')
    .description('this database is the one that sends: lift the hold that a restored copy puts on all mail')
    .action(async () => {
      const digests = await withContext(({ services }) => services.restoredCopy.confirm(cliActor))
      process.stdout.write(`sending again; digests that go on: ${digests}\n`)
    })
}
