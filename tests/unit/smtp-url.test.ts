import { expect, test } from 'vitest'
import { readSmtpUrl } from '../../src/mail/smtp/smtp-url.ts'

test.each([
  ['smtp://localhost:2525', { host: 'localhost', port: 2525, tls: 'off' }],
  ['smtp://127.0.0.1', { host: '127.0.0.1', port: 587, tls: 'off' }],
  ['smtp://[::1]:25', { host: '::1', port: 25, tls: 'off' }],
  ['smtp://relay.example', { host: 'relay.example', port: 587, tls: 'required' }],
  ['smtp://relay.example:25?tls=opportunistic', { tls: 'opportunistic' }],
  ['smtp://mail:1025?tls=off&name=news.example', { host: 'mail', tls: 'off', name: 'news.example' }],
  [
    'smtp://relay.example?pool=true&maxConnections=5&maxMessages=100',
    { maxConnections: 5, maxMessages: 100 },
  ],
  ['smtps://u%40x:p%3Aw@relay.example', { port: 465, tls: 'implicit', auth: { user: 'u@x', pass: 'p:w' } }],
])('%s', (url, expected) => {
  expect(readSmtpUrl(url)).toMatchObject(expected)
})

test.each([
  ['smtp://u:secret@relay.example?proxy=1', 'an unknown parameter proxy'],
  [
    'smtp://u:secret@relay.example?maxConnections=0',
    'a maxConnections that is no whole number from 1 to 1000',
  ],
  ['smtp://u:secret@relay.example?maxMessages=many', 'a maxMessages that is no whole number'],
  ['smtp://u:secret@relay.example?tls=maybe', 'neither required, opportunistic nor off'],
  ['smtp://u:100%secret@relay.example', 'write it as %25'],
  ['smtp://u:secret%E9@relay.example', 'write it as %25'],
  ['smtp://', 'must be a URL'],
  ['smtp:relay.example', 'must be a URL'],
  ['https://u:secret@relay.example', 'must be a URL'],
])('%s is a fault, told without the password', (url, words) => {
  expect(() => readSmtpUrl(url)).toThrow(words)
  expect(() => readSmtpUrl(url)).toThrow(/^(?!.*secret)/)
})
