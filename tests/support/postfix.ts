import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'
import { runProgram } from './programs.ts'

interface PostfixOptions {
  /** Where mail for a domain goes: `lmtp:inet:127.0.0.1:2525`, `smtp:[127.0.0.1]:2526`, `error:5.2.2 full`. */
  transports: Record<string, string>
  /** How long it goes on trying: `0` returns what was put off at once. */
  lifetime?: string
}

/**
 * A Postfix of its own on loopback, with its queue and configuration in a directory of its own; nothing of the
 * machine's is touched. Takes mail for anyone at `local.example` and returns it: nobody lives there.
 */
export async function aPostfix({
  transports,
  lifetime = '5d',
}: PostfixOptions): Promise<{ url: string; port: number }> {
  const root = mkdtempSync('/var/tmp/depeche-postfix-')
  const etc = `${root}/etc`
  const port = await findFreePort()
  for (const directory of ['etc', 'queue', 'data', 'log']) mkdirSync(`${root}/${directory}`)
  for (const name of ['postfix-files', 'postfix-files.d', 'dynamicmaps.cf', 'dynamicmaps.cf.d']) {
    cpSync(`/etc/postfix/${name}`, `${etc}/${name}`, { recursive: true, force: true })
  }
  const master = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8')
    .replace(/^smtp +inet.*$/m, `127.0.0.1:${port} inet n - n - - smtpd`)
    .replace(/^(\w\S* +(?:unix|fifo|inet) +\S+ +\S+ +)y /gm, '$1n ')
  writeFileSync(`${etc}/master.cf`, master)
  writeFileSync(
    `${etc}/transport`,
    Object.entries(transports)
      .map((pair) => pair.join(' '))
      .join('\n') + '\n',
  )
  writeFileSync(
    `${etc}/main.cf`,
    `compatibility_level = 3.6
queue_directory = ${root}/queue
data_directory = ${root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ${root}/log/mail.log
maillog_file_prefixes = ${root}
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-depeche-test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtputf8_enable = yes
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:5.1.1 User unknown in local recipient table
myhostname = mx.local.example
mydestination =
relay_domains = ${Object.keys(transports).join(', ')}, local.example
transport_maps = texthash:${etc}/transport
default_transport = error:5.1.2 no outside delivery in tests
relay_transport = error:5.1.1 User unknown
smtpd_recipient_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
maximal_queue_lifetime = ${lifetime}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
`,
  )
  spawnSync('chown', ['postfix', `${root}/data`])
  spawnSync('chmod', ['755', root])
  runProgram('/usr/sbin/postfix', ['-c', etc, 'start'])
  onTestFinished(() => {
    spawnSync('/usr/sbin/postfix', ['-c', etc, 'stop'])
    rmSync(root, { recursive: true, force: true })
  })
  return { url: `smtp://127.0.0.1:${port}`, port }
}
