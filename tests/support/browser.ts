import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, onTestFinished } from 'vitest'

let launched: Promise<Browser> | undefined

/** One Chromium for a test file: Debian's, offline but for the pages under test. */
async function launch(): Promise<Browser> {
  launched ??= chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  })
  return launched
}

afterAll(async () => {
  await (await launched)?.close()
  launched = undefined
})

export interface BrowserPage extends Page {
  /** What went wrong while the page was open: refused by the content policy, scripts, missing files. */
  faults: string[]
}

/** A page of a fresh profile, closed with the test. Its `faults` are for the test to assert. */
export async function aPage(options: BrowserContextOptions = {}): Promise<BrowserPage> {
  const browser = await launch()
  const profile = await browser.newContext({ locale: 'fr-FR', timezoneId: 'Africa/Algiers', ...options })
  onTestFinished(() => profile.close())
  const page = Object.assign(await profile.newPage(), { faults: [] as string[] })
  page.on('pageerror', (error) => page.faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') page.faults.push(message.text())
  })
  return page
}

export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
export const desktop = { viewport: { width: 1280, height: 900 } }

/** Axe reads a page once in each language: in Arabic by night. */
export const lightOf = (language: string): 'light' | 'dark' => (language === 'ar' ? 'dark' : 'light')

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** `npm run test:axe` reads each page in every width and light, `npm test` once. */
const isFull = process.env['AXE'] === 'full'

/** What axe finds wrong on the page, one line each. */
export async function listViolations(page: Page): Promise<string[]> {
  if (!isFull) return readWithAxe(page)
  const found: string[] = []
  const viewport = page.viewportSize()
  for (const { viewport: size } of [phone, desktop]) {
    await page.setViewportSize(size)
    for (const colorScheme of ['light', 'dark'] as const) {
      // Colours on their way from day to night are nobody's.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const fault of await readWithAxe(page)) found.push(`${size.width} px, ${colorScheme}: ${fault}`)
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  if (viewport) await page.setViewportSize(viewport)
  return found
}

/** Told in the page: all that is well with it would be copied out too. Nobody has put axe into frames: it would wait for them. */
const reading = `if (!globalThis.axe) {${axe}}
axe.run({ iframes: false, resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`

const readWithAxe = (page: Page): Promise<string[]> => page.evaluate<string[]>(reading)

/** Nothing is cut off or must be scrolled to sideways. */
export const fits = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')

/** The same in the width of a small phone and of a desktop; the page is then again as wide as it was. */
export async function fitsEverywhere(page: Page): Promise<boolean> {
  const viewport = page.viewportSize() ?? desktop.viewport
  const found: boolean[] = []
  for (const width of [360, desktop.viewport.width]) {
    await page.setViewportSize({ ...viewport, width })
    found.push(await fits(page))
  }
  await page.setViewportSize(viewport)
  return found.every(Boolean)
}
