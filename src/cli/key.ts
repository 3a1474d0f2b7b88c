import { Option, type Command } from 'commander'
import { UsageError } from './failure.ts'
import { roles, type Role } from '../domain/editor.ts'
import { keyLifetimeDays } from '../services/desk/keys.ts'
import { cliActor, withContext } from './command.ts'

export function keyCommand(program: Command): void {
  program
    .command('key')
    .description('keys of the API')
    .command('create')
    .description('print a new key, alone on stdout; it is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory())
    .requiredOption('--name <name>', 'what uses it, to tell keys apart')
    .addOption(
      new Option('--days <n>', 'how long it lives; 0: without end')
        .argParser(Number)
        .default(keyLifetimeDays),
    )
    .action(async ({ days, ...wanted }: { role: Role; name: string; days: number }) => {
      if (!Number.isInteger(days) || days < 0 || days > 36_500)
        throw new UsageError('--days is a whole number up to 36500, such as 90, or 0.')
      const { key } = await withContext(({ services }) =>
        services.keys.create({ ...wanted, lifetimeDays: days }, cliActor),
      )
      process.stdout.write(`${key}\n`)
    })
}
