import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import express from 'express'

/** What a feed server could cost at least: `bare-server.ts node|express|express-own-etag PORT FILE.gz…`, each file under its name. */
const [kind, port, ...files] = process.argv.slice(2)
const etag = 'W/"1234567890123456789012"'
const bodies = new Map(files.map((file) => [`/${file.slice(file.lastIndexOf('/') + 1)}`, readFileSync(file)]))

/** What a feed must say to a poll, whoever sends it. */
const shared = {
  ETag: etag,
  'Last-Modified': 'Sat, 14 Mar 2026 10:00:00 GMT',
  'Cache-Control': 'public, max-age=300, stale-while-revalidate=600, stale-if-error=86400',
  Vary: 'Accept-Encoding, Sec-Fetch-Dest',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Last-Modified',
}
const full = {
  ...shared,
  'Content-Type': 'application/rss+xml; charset=utf-8',
  'Content-Encoding': 'gzip',
  'X-Content-Type-Options': 'nosniff',
  Link: '<https://rivage.example/rss.xml>; rel="self"',
}

if (kind === 'node') {
  createServer((request, response) => {
    const body = bodies.get(request.url ?? '')
    if (!body) response.writeHead(404).end()
    else if (request.headers['if-none-match'] === etag) response.writeHead(304, shared).end()
    else response.writeHead(200, { ...full, 'Content-Length': body.length }).end(body)
  }).listen(Number(port), '127.0.0.1')
} else {
  // `own-etag` spares Express what it does by itself: hash the body for each answer.
  const { ETag, ...withoutEtag } = full
  const headers = kind === 'express-own-etag' ? { ...withoutEtag, ETag } : withoutEtag
  const app = express()
  for (const [path, body] of bodies) {
    app.get(path, (_request, response) => {
      response.set(headers).send(body)
    })
  }
  app.listen(Number(port), '127.0.0.1')
}
