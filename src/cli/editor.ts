import { Option, type Command } from 'commander'
import { roles, type Role } from '../domain/editor.ts'
import { answer, cliActor, withContext, withJson } from './command.ts'

export function editorCommand(program: Command): void {
  const editor = program.command('editor').description('the people of the desk')
  withJson(editor, 'add <email>', 'add someone; they sign in by a one-time link')
    .addOption(
      new Option('--role <role>', 'what they may do: a viewer reads everything, addresses of subscribers too')
        .choices(roles)
        .makeOptionMandatory(),
    )
    .action(
      answer(async ({ services }, email: string, { role }: { role: Role }) => {
        const added = await services.editors.add({ email, role }, cliActor)
        return [added, [`added as ${added.role}; \`bin/depeche editor sign-in ${email}\` prints a link`]]
      }),
    )
  editor
    .command('sign-in <email>')
    .description('print a one-time link to the desk, valid for half an hour')
    .action(async (email: string) => {
      const link = await withContext(({ services }) => services.signIn.createLink(email))
      process.stdout.write(`${link}\n`)
    })
}
