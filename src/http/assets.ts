import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { Router, type Response } from 'express'

const ownFolder = fileURLToPath(new URL('../../templates/assets/', import.meta.url))

const versions = new Map<string, string>()

/** `/assets/{name}?v={hash}`: a changed file has a new URL, so that a browser may keep the old one for ever. */
export function assetUrl(name: string): string {
  const version = versions.get(name) ?? versionOf(name)
  versions.set(name, version)
  return `/assets/${name}?v=${version}`
}

function versionOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(ownFolder, name)))
    .digest('hex')
    .slice(0, 10)
}

/** Styles, scripts and pictures that the project ships. */
export function assetRoutes(): Router {
  const router = Router()
  router.use('/assets', express.static(ownFolder, { index: false, redirect: false, setHeaders }))
  return router
}

const yearSeconds = 31_536_000
const minutesSeconds = 300

function setHeaders(response: Response): void {
  const isVersioned = response.req.query['v'] !== undefined
  response.set(
    'Cache-Control',
    isVersioned ? `public, max-age=${yearSeconds}, immutable` : `public, max-age=${minutesSeconds}`,
  )
}
