import type { Command } from 'commander'
import { examine } from '../doctor/doctor.ts'
import { conflict } from '../errors.ts'
import { withContext } from './command.ts'
import { printResult, toTable } from './output.ts'

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check what mail needs: DNS, the relay, returns, the clock, Redis, disk; print the DNS records to publish',
    )
    .option('--json', 'for programs')
    .action((options: { json?: boolean }) =>
      withContext(async (context) => {
        const { findings, records } = await examine(context)
        printResult(options, { findings, records }, [
          ...toTable(findings.map(({ verdict, name, sentence }) => [verdict, name, sentence])),
          '',
          'Records to publish:',
          ...records.map(
            ({ type, name, value }) => `${name}. IN ${type} ${type === 'TXT' ? quote(value) : value}`,
          ),
        ])
        if (findings.some(({ verdict }) => verdict === 'no')) {
          throw conflict('doctor_findings', 'Mail is not ready: see what says "no" above.')
        }
      }),
    )
}

/** A TXT string holds 255 bytes; a longer value is several strings in one record. */
const quote = (value: string): string =>
  (value.match(/.{1,255}/g) ?? []).map((chunk) => `"${chunk}"`).join(' ')
