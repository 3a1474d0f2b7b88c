import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { digestReasons } from '../../src/domain/digests/digest.ts'
import { isFeedPath } from '../../src/domain/feeds/feed.ts'
import { interfaceLanguages } from '../../src/domain/language.ts'
import { deskNotices, digestWarnings } from '../../src/domain/notice.ts'
import { explain, explanations } from '../../src/domain/subscribers/explain.ts'
import { freshLinkLifetimeMs } from '../../src/domain/subscribers/subscription-tokens.ts'
import { endingMs } from '../../src/lifecycle.ts'
import { listKeys, translate } from '../../src/locales.ts'

/** Facts that stand in a second place because it cannot read the first: a text, a file of another program. */

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** `11m30s`, `11min 30s`, behind a word of the file. */
function timeAfter(path: string, word: RegExp): number {
  const after = read(path).split(word)[1] ?? ''
  const [, minutes = '0', seconds = '0'] = /^\s*(?:(\d+)m(?:in )?)?(?:(\d+)s)?/.exec(after) ?? []
  return (Number(minutes) * 60 + Number(seconds)) * 1000
}

test('whoever waits for an end gives it longer than it takes', () => {
  const { answers, rounds, web, catcher, worker, grace, keeper } = endingMs
  const { drainSeconds } = readConfig({})
  expect(web).toBeGreaterThan(answers)
  expect(worker).toBeGreaterThan(rounds)
  expect(keeper).toBeGreaterThan(Math.max(web, worker) + grace)
  const ofAll = timeAfter('docker-compose.yml', /stop_grace_period:/)
  expect(ofAll).toBeGreaterThan(Math.max(web + drainSeconds * 1000, catcher))
  expect(timeAfter('docker-compose.yml', /\n {2}worker:[^]*?stop_grace_period:/)).toBeGreaterThan(worker)
  expect(timeAfter('deploy/systemd/depeche-web.service', /TimeoutStopSec=/)).toBeGreaterThan(
    web + drainSeconds * 1000,
  )
  expect(timeAfter('deploy/systemd/depeche-worker.service', /TimeoutStopSec=/)).toBeGreaterThan(worker)
  expect(read('docs/operations.md').replaceAll(/\s+/g, ' ')).toContain(
    `within ${web / 1000 + drainSeconds} s: allow ${ofAll / 1000} s before a kill`,
  )
})

test('the proxies that we ship write down no address, and keep /readyz inside whatever stands behind it', () => {
  const servers = read('deploy/nginx.conf')
    .split(/^server \{$/m)
    .slice(1)
  expect(servers).toHaveLength(2)
  for (const server of servers) {
    expect(server).toContain('\n  access_log off;\n')
    expect(server).toMatch(/\n {2}error_log \S+ crit;\n/)
  }
  const [, kept = ''] =
    /if \(req\.url ~ "([^"]+)"\) \{\s+return \(synth\(404\)\)/.exec(read('deploy/varnish.vcl')) ?? []
  for (const url of ['/readyz', '/readyz?x', '/readyz#x']) expect(url).toMatch(new RegExp(kept))
  expect('/').not.toMatch(new RegExp(kept))
})

test('nginx says who asks, keeps what browsers open but feeds, and one copy for each value that it knows', () => {
  const text = read('deploy/nginx.conf')
  // A location with a header of its own has none of its server's: not the address of who asks either.
  expect(text).not.toMatch(/^ {3,}proxy_set_header/m)
  for (const header of ['X-Forwarded-For $remote_addr', 'Host $host', 'Connection ""'])
    expect(text).toContain(`\n  proxy_set_header ${header};\n`)
  // Ten seconds would outlast the end of the next, of several that restart one after the other.
  expect(text).toMatch(/^ {2}server 127\.0\.0\.1:3000 fail_timeout=1s;$/m)
  const [, passed = 'none'] = /^map \$http_sec_fetch_dest:\$uri [^]*?~(\S+) +1;$/m.exec(text) ?? []
  for (const path of ['/', '/articles/x', '/rss.xml', '/ar/tags/x/atom.xml', '/feed.json', '/sitemap.xml'])
    expect(new RegExp(passed).test(`document:${path}`), path).toBe(isFeedPath(path))
  expect('empty:/rss.xml').not.toMatch(new RegExp(passed))
  // It looks at what clients have sent for Vary, not at what it sends on.
  expect(text).toContain('    proxy_ignore_headers Vary;\n')
  for (const value of ['language', 'encoding'])
    expect(text).toMatch(new RegExp(`proxy_cache_key \\S*\\$depeche_${value}:`))
})

test('production.md restores into a new database, and a release takes no place of processes that run', () => {
  const text = read('docs/production.md')
  expect(text).not.toMatch(/pg_restore[^\n]* --clean/)
  const [, release = ''] = /\*\*A new release\*\*[^]*?```\n([^]*?)```/.exec(text) ?? []
  const order = [
    'depeche.new/bin/depeche migrate',
    'stop depeche-web',
    'mv /opt/depeche.new',
    'start depeche-web',
  ]
  const places = order.map((step) => release.indexOf(step))
  expect(places).not.toContain(-1)
  expect(places).toEqual([...places].sort((one, other) => one - other))
})

test('a release has one version: the package, its lock, the newest of the changelog, and what production installs', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const lock = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, unknown> }
  expect([lock.version, lock.packages['']]).toEqual([version, expect.objectContaining({ version })])
  expect(/^## (\d\S*) – \d{4}-\d{2}-\d{2}$/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version)
  const installed = read('docs/production.md').matchAll(/--branch v(\S+) "\$REPOSITORY"/g)
  expect(new Set([...installed].map(([, tag]) => tag))).toEqual(new Set([version]))
})

test.each([
  ['source-serif-4', 'SourceSerif4', ['400Regular', '400Regular_Italic', '700Bold']],
  ['amiri', 'Amiri', ['400Regular', '700Bold']],
])('the faces of PDFs and their licence are those of the package: %s', (name, family, styles) => {
  const bytesOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url))
  const home = `node_modules/@expo-google-fonts/${name}`
  for (const style of styles) {
    const file = `${family}_${style}.ttf`
    expect(bytesOf(`templates/fonts/${file}`).equals(bytesOf(`${home}/${style}/${file}`))).toBe(true)
  }
  const licence = bytesOf(`templates/fonts/${family}_LICENSE_FONT`)
  expect(licence.equals(bytesOf(`${home}/LICENSE_FONT`))).toBe(true)
  expect(String(licence)).toContain('SIL OPEN FONT LICENSE')
})

test('the changelog says each thing once, whatever branches were joined', () => {
  const beginnings: string[] = read('CHANGELOG.md').match(/^- .{1,50}/gm) ?? []
  expect(beginnings.filter((line, index) => beginnings.indexOf(line) < index)).toEqual([])
})

test.each(interfaceLanguages)('texts that name a number of hours name the one that holds: %s', (language) => {
  expect(translate(language, 'subscribe.preferences.ask_lead')).toContain(
    `${freshLinkLifetimeMs / 3_600_000}`,
  )
})

test.each(interfaceLanguages)(
  'the desk has words for each notice, warning, reason and explanation: %s',
  (language) => {
    const keys = new Set(listKeys(language))
    const named = [
      ...deskNotices.map((notice) => `mail.notices.${notice}.subject`),
      ...digestWarnings.map((warning) => `desk.digests.warnings.${warning}`),
      ...digestReasons.map((reason) => `desk.digests.reasons.${reason}`),
      ...Object.keys(explanations).map((explanation) => `desk.digests.explain.${explanation}`),
    ]
    expect(named.filter((key) => !keys.has(key))).toEqual([])
  },
)

test.each([
  ['skipped', 'nothing_new', 'digest_skipped'],
  ['skipped', 'too_few', 'digest_too_small'],
  ['skipped', 'no_readers', 'digest_without_readers'],
  ['missed', 'late', 'digest_missed'],
  ['missed', 'not_approved', 'digest_not_approved'],
] as const)('a digest that was %s for %s is explained as %s', (state, reason, explanation) => {
  const none = { startedAt: null, detailsEndedAt: null, audience: 0 }
  const digest = { state, reason, kind: 'digest', cadence: 'daily', ...none } as const
  expect(explain(digest, undefined, undefined)).toBe(explanation)
})
