import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'
import { findFreePort } from '../../src/embedded/ports.ts'

/** deploy/haproxy.cfg with other addresses; what is not named listens where nobody asks. */
export async function aHaproxy(addresses: Record<string, string>): Promise<void> {
  const folder = mkdtempSync('/var/tmp/depeche-haproxy-')
  let config = readFileSync('deploy/haproxy.cfg', 'utf8')
  for (const [from, to] of Object.entries(addresses)) {
    expect(config).toContain(from)
    config = config.replaceAll(from, to)
  }
  for (const unused of ['bind :5432', 'bind :6379', 'bind 127.0.0.1:8080'])
    config = config.replace(unused, `bind 127.0.0.1:${await findFreePort()}`)
  writeFileSync(`${folder}/haproxy.cfg`, config)
  const haproxy = spawn('/usr/sbin/haproxy', ['-f', `${folder}/haproxy.cfg`], { stdio: 'ignore' })
  onTestFinished(async () => {
    haproxy.kill('SIGKILL')
    await once(haproxy, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })
}
