import type { Resolver } from 'node:dns/promises'
import type { Checked, DnsRecord } from './dns-identity.ts'
import { look, no, ok } from './finding.ts'
import { orNothing } from '../mail/mail-host.ts'

/** RFC 6376, 3.6.1: one record that holds our key and lets it sign mail. */
export async function checkKey(ours: DnsRecord, dns: Resolver): Promise<Checked> {
  const found = (await orNothing(dns.resolveTxt(ours.name))).map((chunks) => chunks.join(''))
  const [text] = found
  const said = (say: typeof ok, why: string): Checked => ({ findings: [say('DKIM', `${ours.name} ${why}`)] })
  if (text === undefined) return said(no, 'is not published; add it')
  if (found.length > 1) return said(no, 'is published more than once; keep ours')
  const wanted = readTags(ours.value)
  const tags = readTags(text)
  const kind = tags.get('k') ?? 'rsa'
  if (tags.get('p') === '')
    return said(no, 'is revoked (p= is empty); publish ours, or switch to a new selector')
  if (tags.get('p') !== wanted.get('p') || kind !== wanted.get('k')) {
    const variable = wanted.get('k') === 'rsa' ? 'DKIM_PRIVATE_KEY' : 'DKIM_ED25519_PRIVATE_KEY'
    return said(no, `holds another key than ${variable}; publish ours`)
  }
  if (!allows(tags, 'v', 'DKIM1') || !allows(tags, 'h', 'sha256') || !allows(tags, 's', 'email')) {
    return said(no, 'does not let our key sign mail with SHA-256 (v=, h= or s=); publish ours')
  }
  return tags.get('t')?.split(':').includes('y')
    ? said(look, 'holds our key, but says that it is on trial (t=y); publish ours once mail arrives signed')
    : said(ok, 'holds our key')
}

const allows = (tags: Map<string, string>, tag: string, value: string): boolean => {
  const values = tags.get(tag)?.split(':') ?? [value]
  return values.includes(value) || values.includes('*')
}

/** Blanks mean nothing in any of these. */
const readTags = (text: string): Map<string, string> =>
  new Map(
    text
      .replace(/\s+/g, '')
      .split(';')
      .filter((tag) => tag.includes('='))
      .map((tag) => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]),
  )
