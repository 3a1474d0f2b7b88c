#!/usr/bin/env node
import { UsageError, runToExitCode } from './failure.ts'
import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { articleCommand } from './article.ts'
import { digestCommand } from './digest.ts'
import { doctorCommand } from './doctor.ts'
import { editorCommand } from './editor.ts'
import { importCommand } from './import.ts'
import { keyCommand } from './key.ts'
import { migrateCommand } from './migrate.ts'
import { newsletterCommand } from './newsletter.ts'
import { publicationCommand } from './publication.ts'
import { restoreCommand } from './restore.ts'
import { sourceCommand } from './source.ts'
import { subscriberCommand } from './subscriber.ts'

const commands = [
  publicationCommand,
  newsletterCommand,
  digestCommand,
  editorCommand,
  keyCommand,
  subscriberCommand,
  sourceCommand,
  migrateCommand,
  restoreCommand,
  importCommand,
  articleCommand,
  doctorCommand,
]

/** Commander names one missing thing at a time; its usage leaves required options out. */
function tellUsage(command: Command): void {
  const required = command.options.filter((option) => option.mandatory).map((option) => option.flags)
  command.usage([...required, command.usage()].join(' '))
  const names = [command.parent?.parent?.name(), command.parent?.name(), command.name()].filter(Boolean)
  command.showHelpAfterError(`usage: ${names.join(' ')} ${command.usage()} (--help tells more)`)
}

const program = new Command('depeche')
  .description(manifest.description)
  .version(manifest.version)
  .showHelpAfterError('(--help tells more)')
  .exitOverride()
for (const add of commands) add(program)
// Subcommands do not inherit it.
for (const command of program.commands) {
  for (const one of [command, ...command.commands]) tellUsage(one.exitOverride())
}

process.exitCode = await runToExitCode(async () => {
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said what is wrong; its help and version exit with 0.
    if (error.exitCode !== 0) throw new UsageError('')
  }
})
