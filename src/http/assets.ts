import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { Router, type Response } from 'express'
import { accentOf } from '../domain/accent.ts'

const ownFolder = fileURLToPath(new URL('../../templates/assets/', import.meta.url))

const versions = new Map<string, string>()

/** `/assets/{name}?v={hash}`: a changed file has a new URL, so that a browser may keep the old one for ever. */
export const assetUrl = (name: string): string => `/assets/${name}?v=${versionOf(name)}`

function versionOf(name: string): string {
  const version = versions.get(name) ?? hash('sha256', readFileSync(join(ownFolder, name))).slice(0, 10)
  versions.set(name, version)
  return version
}

/** Styles, scripts and pictures that the project ships. */
export function assetRoutes(): Router {
  const router = Router()
  router.get(/^\/assets\/accent-([0-9a-f]{6})\.css$/, (request, response) => {
    response.set('Cache-Control', `public, max-age=${unversionedSeconds}`).type('css')
    response.send(accentStyle(`#${String(request.params[0])}`))
  })
  router.use('/assets', express.static(ownFolder, { index: false, redirect: false, setHeaders }))
  return router
}

/** The colours of depeche.css that follow the newsroom's own; its address holds the colour, and nothing else can be in it. */
function accentStyle(colour: string): string {
  const { light, lightStrong, dark, darkStrong } = accentOf(colour)
  const rule = (accent: string, strong: string, onAccent: string) =>
    `:root { --accent: ${accent}; --accent-strong: ${strong}; --button: ${accent}; --button-hover: ${strong}; --on-accent: ${onAccent}; --glow: ${accent}47 }`
  return `${rule(light, lightStrong, '#fff')}\n@media (prefers-color-scheme: dark) { ${rule(dark, darkStrong, '#161412')} }\n`
}

const yearSeconds = 31_536_000
const unversionedSeconds = 300

function setHeaders(response: Response, path: string): void {
  // A mail that is looked at in a frame has no origin of its own, and faces are asked for by origin.
  if (path.endsWith('.woff2')) response.set('Access-Control-Allow-Origin', '*')
  // During an upgrade a page of the next version asks for a file that this process has only in the last.
  const isVersioned = response.req.query['v'] === versionOf(relative(ownFolder, path))
  response.set(
    'Cache-Control',
    isVersioned ? `public, max-age=${yearSeconds}, immutable` : `public, max-age=${unversionedSeconds}`,
  )
}
