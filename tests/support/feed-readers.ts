import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

// Never the synchronous kind: the server that these programs poll runs in this process.
const run = promisify(execFile)

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'depeche-reader-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

export interface NewsboatItem {
  guid: string
  title: string
  author: string
  content: string
  unread: number
}

/** Newsboat, with a cache of its own: reload, then what it holds. It sends validators from its third poll on. */
export function aNewsboat(urls: string[]) {
  const folder = aFolder()
  const file = (name: string) => join(folder, name)
  writeFileSync(file('config'), '')
  const setUrls = (next: string[]) => {
    writeFileSync(file('urls'), `${next.join('\n')}\n`)
  }
  setUrls(urls)
  return {
    setUrls,
    async reload(): Promise<NewsboatItem[]> {
      const args = ['-u', file('urls'), '-c', file('cache.db'), '-C', file('config'), '-x', 'reload']
      await run('newsboat', args, { env: { ...process.env, HOME: folder } })
      const cache = new DatabaseSync(file('cache.db'))
      try {
        const rows = cache.prepare(
          'select guid, title, author, content, unread from rss_item where deleted = 0 order by pubDate desc, id',
        )
        return rows.all() as unknown as NewsboatItem[]
      } finally {
        cache.close()
      }
    },
    /** As if a person had read everything. */
    markRead() {
      const cache = new DatabaseSync(file('cache.db'))
      cache.exec('update rss_item set unread = 0')
      cache.close()
    },
  }
}

/** rss2email, writing to a Maildir: each run answers with the subjects of the mails it made. */
export async function anRss2email(url: string) {
  const folder = aFolder()
  const inbox = join(folder, 'mail', 'INBOX')
  for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(inbox, name), { recursive: true })
  const config = join(folder, 'config.cfg')
  writeFileSync(
    config,
    [
      '[DEFAULT]',
      'to = reader@reader.example',
      'from = feeds@reader.example',
      'email-protocol = maildir',
      `maildir-path = ${join(folder, 'mail')}`,
      'maildir-mailbox = INBOX',
      '',
    ].join('\n'),
  )
  const r2e = (...args: string[]) =>
    run('r2e', ['-c', config, '-d', join(folder, 'data.json'), ...args], {
      env: { ...process.env, HOME: folder },
    })
  await r2e('add', 'feed', url)
  const seen = new Set<string>()
  return {
    async run(): Promise<string[]> {
      await r2e('run')
      const made = readdirSync(join(inbox, 'new')).filter((name) => !seen.has(name))
      for (const name of made) seen.add(name)
      return Promise.all(made.map((name) => subjectOf(readFileSync(join(inbox, 'new', name)))))
    },
  }
}

/** By Python, whose packages the readers use too. */
async function subjectOf(mail: Buffer): Promise<string> {
  const script =
    'import sys, email, email.policy; print(email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)["subject"], end="")'
  const child = run('/usr/bin/python3', ['-c', script])
  child.child.stdin?.end(mail)
  return (await child).stdout
}

export interface ParsedEntry {
  id: string
  title: string
  author: string
}

/** Universal Feed Parser, as many readers use it. */
export async function feedparser(url: string): Promise<{ bozo: boolean; entries: ParsedEntry[] }> {
  const script =
    'import sys, json, feedparser; f = feedparser.parse(sys.argv[1]); print(json.dumps({"bozo": bool(f.bozo), "entries": [{"id": e.id, "title": e.title, "author": e.get("author", "")} for e in f.entries]}))'
  const { stdout } = await run('/usr/bin/python3', ['-c', script, url])
  return JSON.parse(stdout) as { bozo: boolean; entries: ParsedEntry[] }
}
