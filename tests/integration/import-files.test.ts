import { expect, test } from 'vitest'
import { importCsv, uploadCsv } from '../support/imports.ts'
import { aNewsletter } from '../support/newsletters.ts'
import { rowsOf } from '../support/query.ts'
import { aWeb, type Web } from '../support/web.ts'

const utf16 = (text: string, mark = '\ufeff') => Buffer.from(mark + text, 'utf16le')
const table = 'Adresse e-mail;Origine du consentement\r\na@reader.example;Fête de l’été\r\n'
const bytes = (text: string, accents: Record<string, number>) =>
  Buffer.from(Array.from(text).map((letter) => accents[letter] ?? letter.charCodeAt(0)))
const windows = { é: 0xe9, ê: 0xea, '’': 0x92 }
const mac = { é: 0x8e, ê: 0x90, '’': 0xd5 }

async function aNewsroom() {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'le-matin' })
  await aNewsletter(web.context.database, { slug: 'hebdo' })
  return web
}

const emptied = (web: Web) =>
  rowsOf(web, 'truncate subscribers, subscriptions, activations, consents cascade')

test('CSV import reads what spreadsheets write, and tells how it was read', async () => {
  const web = await aNewsroom()
  for (const [file, encoding, separator] of [
    [Buffer.from(table), 'utf-8', ';'],
    [Buffer.from(`\ufeff${table}`), 'utf-8', ';'],
    [Buffer.from(`sep=;\r\n${table}`), 'utf-8', ';'],
    [Buffer.from(table.replaceAll(';', '\t')), 'utf-8', 'tab'],
    [Buffer.from(table.replaceAll(';', ',')), 'utf-8', ','],
    [Buffer.from(table.replaceAll('\r\n', '\n')), 'utf-8', ';'],
    [Buffer.from(table.replaceAll('\r\n', '\r')), 'utf-8', ';'],
    [utf16(table.replaceAll(';', '\t')), 'utf-16le', 'tab'],
    [utf16(table), 'utf-16le', ';'],
    [utf16(table, ''), 'utf-16le', ';'],
    [utf16(table).swap16(), 'utf-16be', ';'],
    [utf16(table, '').swap16(), 'utf-16be', ';'],
    [bytes(table, windows), 'windows-1252', ';'],
    [bytes(table.replaceAll('\r\n', '\r'), mac), 'macintosh', ';'],
  ] as const) {
    const report = await importCsv(web, file)
    expect([encoding, report]).toMatchObject([encoding, { encoding, separator, pending: 1, invalid: 0 }])
    expect([encoding, await rowsOf(web, 'select source from consents')]).toEqual([
      encoding,
      [{ source: 'Fête de l’été' }],
    ])
    await emptied(web)
  }
})

test('CSV import: headers in other words; a bare list; what is no CSV is told what to do', async () => {
  const web = await aNewsroom()
  for (const header of [
    'E-mail',
    'Email Address',
    'Adresse électronique',
    'Courriel',
    'البريد الإلكتروني',
    'الايميل',
    'Correo electrónico',
    'E-Mail-Adresse',
  ]) {
    expect([
      header,
      await importCsv(web, `${header},x\na@reader.example,1\n`, { isDryRun: true }),
    ]).toMatchObject([header, { pending: 1, ignoredColumns: ['x'] }])
  }
  expect(
    await importCsv(web, 'a@reader.example\nb@reader.example\nnobody\n', { isDryRun: true }),
  ).toMatchObject({
    rows: 3,
    pending: 2,
    errors: [{ line: 3, field: 'email' }],
  })
  for (const file of ['PK\x03\x04…', Buffer.from('d0cf11e0a1b11ae1', 'hex')])
    await expect(uploadCsv(web, file)).rejects.toMatchObject({ code: 'not_csv' })
  for (const file of ['', 'name\nAmina\n', 'a@reader.example,Amina\nb@reader.example,Omar\n'])
    await expect(uploadCsv(web, file)).rejects.toMatchObject({ code: 'csv_header' })
  // Of dry runs the file is kept, of what was refused it is not.
  expect(await rowsOf(web, 'select 1 from import_pieces')).toHaveLength(9)
  await rowsOf(web, `update imports set ended_at = now() - interval '8 days'`)
  await web.context.services.imports.purge()
  expect(await rowsOf(web, 'select 1 from import_pieces')).toEqual([])
})

test('CSV import: an Arabic header in Windows-1256 is read before a column is guessed in another encoding', async () => {
  const web = await aNewsroom()
  // البريد الإلكتروني;الحالة, and ملغى.
  const csv = 'ÇáÈÑíÏ ÇáÅáßÊÑæäí;ÇáÍÇáÉ\na@reader.example;\nb@reader.example;ãáÛì\n'
  expect(await importCsv(web, Buffer.from(csv, 'latin1'), { isDryRun: true })).toMatchObject({
    encoding: 'windows-1256',
    pending: 1,
    ended: 1,
  })
})

test('CSV import: an address may have a name before it, and marks that nobody sees', async () => {
  const web = await aNewsroom()
  for (const file of [
    'Amina B <a@reader.example>\nOmar <mailto:b@reader.example>\n',
    'email,x\n\u200ea@reader.example\u200f,1\n\u200bb@reader.example,2\n',
  ])
    expect(await importCsv(web, file, { isDryRun: true })).toMatchObject({ pending: 2, invalid: 0 })
})

test('CSV import: a quote within a cell is kept, and one that stays open is told with its line', async () => {
  const web = await aNewsroom()
  const said = 'email,x\na@reader.example,Amina "la Grande" B\nb@reader.example,2\n'
  expect(await importCsv(web, said, { isDryRun: true })).toMatchObject({ pending: 2, invalid: 0 })
  const behind = 'email , "x" \n"Amina, B" <a@reader.example>,"y" \n"b@reader.example" , z\n'
  expect(await importCsv(web, behind, { isDryRun: true })).toMatchObject({ pending: 2, invalid: 0 })
  const open = 'email,x\na@reader.example,"Amina\nb@reader.example,2\n'
  expect(await importCsv(web, open, { isDryRun: true })).toMatchObject({
    pending: 0,
    errors: [{ line: 2, message: expect.stringContaining('nothing can be read from here on') as string }],
  })
})

test('CSV import: lines are those of the file, over quoted breaks, empty lines and rows of separators', async () => {
  const web = await aNewsroom()
  const csv =
    'sep=;\r\nemail;note\r\na@reader.example;"two\r\nlines"\r\n\r\n;;\r\nnobody;"x\r\ny"\r\nb@reader.example;\r\nnobody;\r\n'
  const report = await importCsv(web, csv, { isDryRun: true })
  expect(report).toMatchObject({ rows: 4, pending: 2, invalid: 2 })
  expect(report.errors.map(({ line }) => line)).toEqual([7, 10])
})

test('CSV import: newsletters that are used are named, the first for rows that name none; an unknown one is an error', async () => {
  const web = await aNewsroom()
  const csv =
    'email,newsletters,List\na@reader.example,le-matin hebdo,X\nb@reader.example,,X\nc@reader.example,le-soir,X\n'
  const expected = {
    newsletters: [
      { newsletter: 'le-matin', rows: 2 },
      { newsletter: 'hebdo', rows: 1 },
    ],
    defaultNewsletter: { newsletter: 'le-matin', rows: 1 },
    ignoredColumns: ['List'],
    errors: [{ line: 4, field: 'newsletters', message: expect.stringContaining('“le-soir”') as string }],
  }
  expect(await importCsv(web, csv, { isDryRun: true })).toMatchObject(expected)
  expect(await importCsv(web, csv)).toMatchObject(expected)
})

test('CSV import: rows that name no newsletter are reported under the one they subscribe to, not one that has ended', async () => {
  const web = await aWeb()
  await aNewsletter(web.context.database, { slug: 'ancienne', state: 'ended' })
  await aNewsletter(web.context.database, { slug: 'le-matin' })
  expect(await importCsv(web, 'email\na@reader.example\n', { isDryRun: true })).toMatchObject({
    newsletters: [{ newsletter: 'le-matin', rows: 1 }],
    defaultNewsletter: { newsletter: 'le-matin', rows: 1 },
  })
})

test('CSV import: a date of consent is checked, kept, and counted where it may be month first', async () => {
  const web = await aNewsroom()
  const csv =
    'email,consent_date\na@reader.example,03/04/2025\nb@reader.example,31/02/2024\nc@reader.example,01/15/2025\n'
  const report = await importCsv(web, csv, { basis: 'ancien site' })
  expect(report).toMatchObject({ active: 1, invalid: 2, guessedDates: 1 })
  expect(report.errors.map(({ line, message }) => [line, /calendar|month first/.test(message)])).toEqual([
    [3, true],
    [4, true],
  ])
  expect(
    await rowsOf(
      web,
      "select to_char(given_at at time zone 'UTC', 'YYYY-MM-DD') as day, basis from consents",
    ),
  ).toEqual([{ day: '2025-04-03', basis: 'ancien site' }])
})
