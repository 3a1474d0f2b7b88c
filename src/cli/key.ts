import { Option, type Command } from 'commander'
import { roles, type Role } from '../domain/editor.ts'
import { cliActor, withContext } from './command.ts'

export function keyCommand(program: Command): void {
  program
    .command('key')
    .description('keys of the API')
    .command('create')
    .description('print a new key, alone on stdout; it is shown this once')
    .addOption(new Option('--role <role>', 'what it may do').choices(roles).makeOptionMandatory())
    .requiredOption('--name <name>', 'what uses it, to tell keys apart')
    .action(async (options: { role: Role; name: string }) => {
      const { key } = await withContext(({ services }) => services.keys.create(options, cliActor))
      process.stdout.write(`${key}\n`)
    })
}
