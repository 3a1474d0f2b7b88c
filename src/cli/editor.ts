import { Option, type Command } from 'commander'
import { roles, type Role } from '../domain/editor.ts'
import { cliActor, withContext } from './command.ts'
import { printResult } from './output.ts'

export function editorCommand(program: Command): void {
  const editor = program.command('editor').description('the people of the desk')
  editor
    .command('add <email>')
    .description('add someone; they sign in by a one-time link')
    .addOption(
      new Option('--role <role>', 'what they may do: a viewer reads everything, addresses of subscribers too')
        .choices(roles)
        .makeOptionMandatory(),
    )
    .option('--json', 'print the result for programs')
    .action(async (email: string, options: { role: Role; json?: boolean }) => {
      const added = await withContext(({ services }) =>
        services.editors.add({ email, role: options.role }, cliActor),
      )
      printResult(options, added, [
        `added as ${added.role}; \`bin/depeche editor sign-in ${email}\` prints a link`,
      ])
    })
  editor
    .command('sign-in <email>')
    .description('print a one-time link to the desk, valid for half an hour')
    .action(async (email: string) => {
      const link = await withContext(({ services }) => services.editors.createSignInLink(email))
      process.stdout.write(`${link}\n`)
    })
}
