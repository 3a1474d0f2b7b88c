import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { onTestFinished } from 'vitest'
import { feedFormats, feedTypes, type StoredFeed } from '../../src/domain/feeds/feed.ts'
import { DomainError } from '../../src/errors.ts'
import { createFeedWriter } from '../../src/feeds/writer.ts'
import { createFeedFront, type FeedLookup } from '../../src/http/feeds/feed-front.ts'
import { createFeedLimit } from '../../src/http/feeds/feed-limit.ts'
import { etagOf } from '../../src/services/feeds/render.ts'
import { aChannel, aFeedArticle, aFrame } from './feed-articles.ts'

type Found = NonNullable<ReturnType<FeedLookup['peek']>>

export interface FrontOptions {
  /** Unconditional GETs a minute; default: off. */
  limit?: number
  isFrontFirst?: boolean
}

/** The front over three feeds in memory, before Express or inside it; everything else answers "not a feed". */
export async function aFrontOf(options: FrontOptions) {
  const found = new Map<string, Found>()
  let failure: Error | undefined
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise((resolve) =>
        server.close(() => {
          resolve()
        }),
      ),
  )
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const feed of await someFeeds()) found.set(feed.path, { kind: 'feed', feed })

  const isBeyondLimit = createFeedLimit({ limit: options.limit ?? Infinity })
  const front = createFeedFront({
    publicUrl: origin,
    feeds: {
      peek: (path) => found.get(path),
      read: () =>
        Promise.reject(
          failure ?? new DomainError('not_found', 'no_feed', 'There is no feed at this address.'),
        ),
    },
    isLimited: (_request, path) => isBeyondLimit(path, () => 'a client'),
    onPoll: () => undefined,
    onError: () => undefined,
  })
  const rest = (_request: IncomingMessage, response: ServerResponse) => response.end('not a feed')
  const app = express().disable('x-powered-by').use(front).use(rest)
  server.on('request', (request, response) => {
    if (options.isFrontFirst)
      front(request, response, () => {
        rest(request, response)
      })
    else app(request, response)
  })
  return {
    origin,
    /** What is at hand, by path. */
    found,
    /** What is not at hand then cannot be read. */
    failWith(error: Error) {
      failure = error
    },
  }
}

async function someFeeds(): Promise<StoredFeed[]> {
  const writer = createFeedWriter()
  const sources = [aFeedArticle(), aFeedArticle()].map((article) => ({ kind: 'article' as const, article }))
  const composed = writer.compose(aChannel(), sources, aFrame)
  const lastModified = new Date('2026-03-14T09:30:00Z')
  return Promise.all(
    feedFormats.map(async (format) => {
      const written = composed.write(format)
      const body = written.bytes(lastModified)
      const encoded = await writer.compress(body)
      return {
        path: `/${format}`,
        contentType: feedTypes[format],
        etag: etagOf(written.contentSha256),
        lastModified,
        body,
        ...encoded,
      }
    }),
  )
}
