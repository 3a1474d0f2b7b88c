import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/config.ts'

const faultsOf = (env: Record<string, string>): string => {
  try {
    readConfig(env)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  'PORT',
  'INBOUND_PORT',
  'SMTP_CONNECTIONS',
  'FEED_LIMIT',
  'RETENTION_DELIVERIES',
  'DRAIN_SECONDS',
])('%s is a whole number in digits', (name) => {
  for (const value of ['-1', '1.5', '0x50', '1e2', '60s', 'many', '99999999999'])
    expect(faultsOf({ [name]: value }), value).toMatch(new RegExp(`^  ${name}: must be a whole number`, 'm'))
})

test('SMTP conversations at once: SMTP_CONNECTIONS, else what SMTP_URL says, else twenty', () => {
  const url = 'smtp://relay.example?pool=true&maxConnections=5'
  const connections = (env: Record<string, string>) => readConfig(env).smtpConnections
  expect(connections({})).toBe(20)
  expect(connections({ SMTP_URL: url })).toBe(5)
  expect(connections({ SMTP_URL: url, SMTP_CONNECTIONS: '8' })).toBe(8)
})

test('blanks around a value do not count, and blanks alone are no value', () => {
  expect(readConfig({ PORT: ' 80\r', DATA_DIR: '  ', FEED_LIMIT: ' off ' })).toMatchObject({
    port: 80,
    dataDir: readConfig({}).dataDir,
    feedLimit: Infinity,
  })
})

test('an empty secret is a fault: the default would be taken for it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depeche-config-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'secret')
  writeFileSync(file, '\n')
  expect(faultsOf({ DATABASE_URL_FILE: file })).toContain('DATABASE_URL_FILE: the file is empty')
})

test.each([
  ['MAIL_FROM', 'redaction'],
  ['MAIL_FROM', 'a@news.example, b@news.example'],
  ['MAIL_REPLY_TO', 'La rédaction'],
  ['SMTP_URL', 'smtp://relay.example?proxy=true'],
  ['SMTP_URL', 'smtp://'],
  ['BOUNCE_DOMAIN', 'bounces..example'],
  ['TRUST_PROXY', '10/8'],
  ['FEED_LIMIT', 'OFF'],
])('%s %s is a fault that names it', (name, value) => {
  expect(faultsOf({ [name]: value })).toContain(`  ${name}: `)
})

test('where no mail can come from the host of PUBLIC_URL, MAIL_FROM is to be set', () => {
  const PUBLIC_URL = 'https://le_rivage.example'
  expect(faultsOf({ PUBLIC_URL })).toContain('  MAIL_FROM: set it')
  expect(faultsOf({ PUBLIC_URL, MAIL_FROM: 'lettres@rivage.example' })).toBe('')
  for (const url of [
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:3000',
    'https://الساحل.example',
  ])
    expect(faultsOf({ PUBLIC_URL: url }), url).toBe('')
})

test('all faults are told together, what contradicts as well', () => {
  const faults = faultsOf({ PORT: 'x', MAIL_FROM: 'x', DATABASE_URL: 'postgres://db/d', DKIM_SELECTOR: 's' })
  for (const name of ['PORT', 'MAIL_FROM', 'SECRET_KEY', 'DKIM_DOMAIN'])
    expect(faults).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
})
