import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, appendFileSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import { expect, onTestFinished, test } from 'vitest'
import { openMailbox } from '../../src/embedded/catcher/mailbox.ts'
import type { Letter } from '../../src/embedded/catcher/letter.ts'
import { findFreePort } from '../../src/embedded/ports.ts'

interface Catcher {
  url: string
  smtpPort: number
  process: ChildProcess
  lettersTo(to: string): Promise<Letter[]>
}

const aDirectory = () => {
  const directory = mkdtempSync('/var/tmp/depeche-mail-')
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

async function aCatcher(directory = aDirectory()): Promise<Catcher> {
  const [smtpPort, httpPort] = [await findFreePort(), await findFreePort()]
  const process = fork('src/embedded/catcher/main.ts', [
    ...['--directory', directory, '--smtp-port', String(smtpPort), '--http-port', String(httpPort)],
    ...['--log-level', 'warn'],
  ])
  onTestFinished(() => void process.kill('SIGKILL'))
  await once(process, 'message')
  const url = `http://localhost:${httpPort}`
  return {
    url,
    smtpPort,
    process,
    async lettersTo(to) {
      const answer = await fetch(`${url}/api/messages?to=${encodeURIComponent(to)}`)
      return ((await answer.json()) as { data: Letter[] }).data
    },
  }
}

function aSender({ smtpPort }: Catcher) {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: smtpPort, pool: true })
  onTestFinished(() => {
    transport.close()
  })
  return transport
}

/** Says something and waits for an answer that holds `expected`. */
function converse(socket: Socket) {
  let answers = ''
  socket.setEncoding('utf8').on('data', (data: string) => (answers += data))
  // Fails at once instead of waiting for an answer that cannot come.
  const closed = once(socket, 'close').then(() => {
    throw new Error(`closed after ${JSON.stringify(answers)}`)
  })
  closed.catch(() => undefined)
  return {
    async say(words: string, expected: string) {
      socket.write(words)
      while (!answers.includes(expected)) await Promise.race([once(socket, 'data'), closed])
    },
  }
}

const mail = { from: 'Le Rivage <matin@rivage.example>', to: 'Ann <ann@reader.example>', subject: 'Été, صيف' }

test('CATCH-1 a mail is caught as it was sent and found by its recipient', async () => {
  const catcher = await aCatcher()
  const sender = aSender(catcher)
  await sender.sendMail({
    ...mail,
    text: 'Bonjour',
    html: '<p>Bonjour <b>Ann</b></p>',
    headers: { 'X-Twice': ['one', 'two'] },
    list: { unsubscribe: 'https://rivage.example/unsubscribe/x' },
    envelope: { from: 'bounce+7@rivage.example', to: 'Ann@reader.example' },
  })
  await sender.sendMail({ ...mail, to: 'joann@reader.example', text: 'Autre' })

  const [letter, ...others] = await catcher.lettersTo('ann@READER.example')
  expect(others).toEqual([])
  expect(letter).toMatchObject({
    envelope: { from: 'bounce+7@rivage.example', to: ['Ann@reader.example'] },
    from: { address: 'matin@rivage.example', name: 'Le Rivage' },
    to: [{ address: 'ann@reader.example', name: 'Ann' }],
    subject: 'Été, صيف',
    text: 'Bonjour',
    html: '<p>Bonjour <b>Ann</b></p>',
    headers: { 'x-twice': ['one', 'two'], 'list-unsubscribe': '<https://rivage.example/unsubscribe/x>' },
  })
  expect(await catcher.lettersTo('reader.example')).toHaveLength(2)
})

test('CATCH-2 the newest is on top, and pages follow each other', async () => {
  const catcher = await aCatcher()
  const sender = aSender(catcher)
  for (const n of [1, 2, 3]) await sender.sendMail({ ...mail, subject: `N${n}` })
  const read = async (query: string) =>
    (await (await fetch(`${catcher.url}/api/messages?${query}`)).json()) as {
      data: Letter[]
      next: string | null
    }
  const first = await read('limit=2')
  expect(first.data.map(({ subject }) => subject)).toEqual(['N3', 'N2'])
  const second = await read(`limit=2&before=${first.next ?? ''}`)
  expect(second.data.map(({ subject }) => subject)).toEqual(['N1'])
  expect(second.next).toBeNull()
})

test('CATCH-3 mails survive a kill; a line that the kill cut off is no mail', async () => {
  const directory = aDirectory()
  const before = await aCatcher(directory)
  await aSender(before).sendMail({ ...mail, text: 'kept' })
  before.process.kill('SIGKILL')
  await once(before.process, 'exit')
  appendFileSync(join(directory, 'journal.jsonl'), '{"id":"cut-o')

  const after = await aCatcher(directory)
  await aSender(after).sendMail({ ...mail, text: 'new' })
  expect((await after.lettersTo('ann@reader.example')).map(({ text }) => text.trim())).toEqual([
    'new',
    'kept',
  ])
})

test('CATCH-4 what a good provider offers is offered, and addresses outside ASCII are taken', async () => {
  const catcher = await aCatcher()
  const socket = createConnection(catcher.smtpPort, '127.0.0.1')
  await once(socket, 'data')
  socket.write('EHLO test\r\n')
  await once(socket, 'data').then(([answer]) => {
    for (const name of ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN']) {
      expect(String(answer)).toContain(name)
    }
    expect(String(answer)).not.toContain('STARTTLS')
  })
  const conversation = converse(socket)
  await conversation.say(
    'MAIL FROM:<é@rivage.example> SMTPUTF8 BODY=8BITMIME RET=HDRS\r\nRCPT TO:<أحمد@reader.example> NOTIFY=FAILURE\r\nDATA\r\n',
    '354',
  )
  await conversation.say('Subject: été\r\n\r\nbonjour\r\n.\r\n', 'caught')
  socket.end('QUIT\r\n')
  expect(await catcher.lettersTo('أحمد@reader.example')).toHaveLength(1)
})

test('CATCH-1 headers are shown with their names as sent and their values decoded; a phone gets the phone’s width', async () => {
  const catcher = await aCatcher()
  await aSender(catcher).sendMail({ ...mail, html: '<p>Bonjour</p>', headers: { 'X-Twice': ['one', 'two'] } })
  const [{ id } = { id: '' }] = await catcher.lettersTo('ann@reader.example')
  const page = async (query: string, agent: string) =>
    (await fetch(`${catcher.url}/messages/${id}${query}`, { headers: { 'user-agent': agent } })).text()
  const heads = await page('?view=headers', 'Firefox')
  expect(heads).toMatch(/>Subject<\/th><td[^>]*>Été, صيف</)
  expect(heads.match(/>X-Twice</g)).toHaveLength(2)
  expect(await page('', 'Mozilla/5.0 (Android 16; Mobile; rv:145.0) Firefox/145.0')).toContain(
    '<main class="phone">',
  )
  expect(await page('', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0')).toContain('<main class="desktop">')
})

test('CATCH-5 pages show a mail in every view; its HTML can neither run nor send anything', async () => {
  const catcher = await aCatcher()
  await aSender(catcher).sendMail({
    ...mail,
    subject: '<script>alert(1)</script>',
    text: 'plain <b>text</b>',
    html: '<script>alert(1)</script><img src="http://tracker.example/x.gif"><a href="http://localhost/activate">go</a>',
  })
  const get = async (path: string, language = 'en') => {
    const headers = { accept: 'text/html', 'accept-language': language }
    const answer = await fetch(`${catcher.url}${path}`, { headers })
    return { answer, body: await answer.text() }
  }
  const list = await get('/')
  expect(list.body).toContain('<title>Mailbox</title>')
  expect(list.body).toContain('&lt;script&gt;')
  expect((await get('/', 'ar')).body).toContain('dir="rtl"')
  const [{ id } = { id: '' }] = await catcher.lettersTo('ann@reader.example')
  for (const view of ['desktop', 'phone', 'text', 'headers', 'raw']) {
    const { answer, body } = await get(`/messages/${id}?view=${view}`, 'fr')
    expect(answer.status, view).toBe(200)
    expect(body, view).not.toContain('<script>alert')
  }
  const frame = await get(`/messages/${id}/html`)
  const policy = frame.answer.headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(
    /^sandbox (?!.*allow-scripts)(?!.*allow-same-origin)(?!.*allow-forms).*default-src 'none'/,
  )
  expect(policy).not.toMatch(/img-src[^;]*https?:(?!\/\/(localhost|127\.0\.0\.1))/)
  const lost = await get('/messages/none', 'fr')
  expect(lost.answer.status).toBe(404)
  expect(lost.body).toContain('Cet e-mail n’est pas ici')
  expect(lost.body).toContain('href="/mailbox.css"')
})

test('CATCH-6 a foreign name that resolves to this machine gets nothing', async () => {
  const catcher = await aCatcher()
  const ask = request(`${catcher.url}/api/messages`, { headers: { host: 'evil.example' } }).end()
  const [answer] = (await once(ask, 'response')) as [{ statusCode: number; resume(): void }]
  answer.resume()
  expect(answer.statusCode).toBe(421)
})

test('CATCH-7 only the newest mails are kept, on disk as well, and the others are still counted', async () => {
  const directory = aDirectory()
  const mailbox = openMailbox(directory, 3)
  const put = (subject: string) =>
    mailbox.put(Buffer.from(`Subject: ${subject}\r\n\r\n`), {
      envelope: { from: '', to: ['a@b'] },
      from: '',
      to: '',
      subject,
    })
  for (let n = 1; n <= 10; n += 1) await put(`N${n}`)
  expect(mailbox.list(10).map(({ subject }) => subject)).toEqual(['N10', 'N9', 'N8'])
  expect(readdirSync(directory).filter((file) => file.endsWith('.eml'))).toHaveLength(3)
  const again = openMailbox(directory, 3)
  expect([again.count, again.received]).toEqual([3, 10])
})

test('CATCH-8 told to end, it finishes the conversation in flight', async () => {
  const directory = aDirectory()
  const catcher = await aCatcher(directory)
  const socket = createConnection(catcher.smtpPort, '127.0.0.1')
  await once(socket, 'data')
  const conversation = converse(socket)
  await conversation.say('EHLO t\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n', '354')
  const exited = once(catcher.process, 'exit')
  catcher.process.kill('SIGTERM')
  await conversation.say('Subject: late\r\n\r\nhello\r\n.\r\n', 'caught')
  socket.end('QUIT\r\n')
  expect(await exited).toEqual([0, null])
  expect(openMailbox(directory).count).toBe(1)
})
