import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createSigner, publicKeyOf, type DkimKeys } from '../../src/mail/sign.ts'
import { aFrozenDigest } from '../support/frozen-digest.ts'
import { aMail, aRecipient, dkimKeys } from '../support/mail.ts'
import { runProgram } from '../support/programs.ts'

const keys = dkimKeys()
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
const verifyWithPython = (message: Buffer): boolean[] =>
  JSON.parse(
    runProgram('/usr/bin/python3', ['-c', verifier, JSON.stringify(records(keys))], message),
  ) as boolean[]

/** opendkim's verdicts, in its own words. */
function verifyWithOpendkim(message: Buffer): string[] {
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

async function sign(message: Buffer[]): Promise<Buffer> {
  return Buffer.concat(await createSigner(keys).sign(message))
}

async function aDigest(language: 'fr' | 'ar' | 'en'): Promise<Buffer[]> {
  const mail = aMail()
  const parts = await mail.composeDigest(aFrozenDigest({ language }))
  return mail.personalise(mail.assembleVariant(parts), aRecipient())
}

test.each(['fr', 'ar', 'en'] as const)(
  'DKIM-1 both signatures of a digest in %s verify in two verifiers',
  async (language) => {
    const message = await sign(await aDigest(language))
    expect(verifyWithPython(message)).toEqual([true, true])
    expect(verifyWithOpendkim(message)).toEqual(['pass', 'pass'])
    expect(message.toString('latin1')).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256;/)
  },
)

test.each([
  'From: evil@evil.example',
  'Subject: another',
  'To: other@reader.example',
  'List-Unsubscribe: <https://evil.example/>',
  'Cc: other@reader.example',
  'Sender: evil@evil.example',
])('DKIM-2 a prepended "%s" breaks both', async (header) => {
  const message = await sign(await aDigest('fr'))
  const tampered = Buffer.concat([Buffer.from(`${header}\r\n`), message])
  expect(verifyWithPython(tampered)).toEqual([false, false])
  expect(verifyWithOpendkim(tampered)).not.toContain('pass')
})

test('a changed body breaks both', async () => {
  const message = await sign(await aDigest('fr'))
  const tampered = Buffer.from(message.toString('latin1').replace('tramway', 'bateaux'), 'latin1')
  expect(verifyWithPython(tampered)).toEqual([false, false])
})

const pem = { type: 'pkcs8', format: 'pem' } as const
test.each<[string, Partial<DkimKeys>]>([
  ['garbage', { privateKey: '-----BEGIN PRIVATE KEY-----\nnot\n-----END PRIVATE KEY-----' }],
  ['an empty key', { privateKey: '' }],
  ['1024 bits', { privateKey: dkimKeys(1024).privateKey }],
  ['Ed25519 where RSA belongs', { privateKey: keys.ed25519?.privateKey ?? '' }],
  ['RSA where Ed25519 belongs', { ed25519: { selector: 'e1', privateKey: keys.privateKey } }],
  [
    'a public key',
    { privateKey: createPublicKey(keys.privateKey).export({ type: 'spki', format: 'pem' }).toString() },
  ],
  [
    'another kind of key',
    { privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem).toString() },
  ],
])('DKIM-3 %s refuses to start, naming the variable', (_, fault) => {
  expect(() => createSigner({ ...keys, ...fault })).toThrow(/^DKIM_(ED25519_)?PRIVATE_KEY: /)
})

const header = Buffer.from(
  'From: a@news.example.org\r\nTo: b@reader.example\r\nSubject:  folded\r\n\tand   spaced \r\n\r\n',
)

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

test.each(awkwardBodies)('DKIM-4 a body with %s', async (_, body) => {
  const message = await sign([header, ...body.map((text) => Buffer.from(text))])
  expect(verifyWithPython(message)).toEqual([true, true])
  expect(verifyWithOpendkim(message)).toEqual(['pass', 'pass'])
})

test('signing twice gives the kept segments their own hash each time', async () => {
  const first = await aDigest('fr')
  const second = first.map((segment) =>
    segment.includes('reader@') ? Buffer.from('other@reader.example') : segment,
  )
  const signer = createSigner(keys)
  for (const message of [first, second, first]) {
    expect(verifyWithPython(Buffer.concat(await signer.sign(message)))).toEqual([true, true])
  }
})
