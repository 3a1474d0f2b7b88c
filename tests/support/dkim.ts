import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { publicKeyOf, type DkimKeys } from '../../src/mail/message/sign.ts'
import { runProgram } from './programs.ts'

const records = (of: DkimKeys): Record<string, string> => ({
  [`${of.selector}._domainkey.${of.domain}`]: `v=DKIM1; k=rsa; p=${publicKeyOf(of.privateKey)}`,
  ...(of.ed25519 && {
    [`${of.ed25519.selector}._domainkey.${of.domain}`]: `v=DKIM1; k=ed25519; p=${publicKeyOf(of.ed25519.privateKey)}`,
  }),
})

const verifier = `
import sys, json, dkim
records = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
def txt(name, timeout=5):
    return records[name.decode().rstrip('.')].encode()
d = dkim.DKIM(message)
def check(i):
    try:
        return d.verify(idx=i, dnsfunc=txt)
    except dkim.DKIMException:
        return False
print(json.dumps([check(i) for i in range(2)]))
`

/** python3-dkim's verdict on each of the two signatures. */
export const verifyWithPython = (message: Buffer, keys: DkimKeys): boolean[] =>
  JSON.parse(
    runProgram('/usr/bin/python3', ['-c', verifier, JSON.stringify(records(keys))], message),
  ) as boolean[]

/** opendkim's verdicts, in its own words. */
export function verifyWithOpendkim(message: Buffer, keys: DkimKeys): string[] {
  const directory = mkdtempSync('/tmp/depeche-dkim-')
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  const lines = Object.entries(records(keys)).map(([name, value]) => `${name} ${value}`)
  writeFileSync(`${directory}/keys`, `${lines.join('\n')}\n`)
  writeFileSync(`${directory}/conf`, `Mode v\nSyslog no\nTestPublicKeys ${directory}/keys\n`)
  // Its test mode reads nothing that lacks the last line end, which SMTP would add.
  const isEnded = message.subarray(-2).toString() === '\r\n'
  writeFileSync(`${directory}/message`, isEnded ? message : Buffer.concat([message, Buffer.from('\r\n')]))
  const output = runProgram('opendkim', ['-x', `${directory}/conf`, '-t', `${directory}/message`, '-vv'])
  return Array.from(output.matchAll(/dkim=(\w+)/g), (match) => match[1] ?? '')
}

/** Bodies that relaxed canonicalisation must treat as every verifier does. */
export const awkwardBodies: [string, string[]][] = [
  ['leading dots', ['.\r\n..two\r\n. a\r\n']],
  ['trailing blanks', ['text  \r\n\t\r\n  \r\nmore\t \r\n']],
  ['empty lines at the end', ['text\r\n\r\n\r\n\r\n']],
  ['only empty lines', ['\r\n\r\n']],
  ['nothing', []],
  ['no line end', ['text without an end']],
  ['blank runs', ['a  b\t\tc \t d\r\n']],
  ['segments that divide a run of blanks', ['a ', ' b\r\n', '\tc ', '\r\n', 'd']],
  ['segments that divide a line end', ['a\r', '\nb \r', '\n']],
  ['segments of empty lines', ['a\r\n', '\r\n', '\r\n']],
  ['long lines', [`${'x'.repeat(990)}\r\n`]],
  ['UTF-8', ['é العربية 漢字\r\n']],
]
