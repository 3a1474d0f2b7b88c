import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/** Made once, and the same for all who start at once: what was made with it stays valid over restarts. */
export function readSecret(file: string, bytes: number): string {
  if (!existsSync(file)) {
    const partial = `${file}.partial-${process.pid}`
    writeFileSync(partial, randomBytes(bytes).toString('hex'), { mode: 0o600 })
    try {
      // Unlike a rename, a link never replaces the secret that another starter made meanwhile.
      linkSync(partial, file)
    } catch (error) {
      if (!existsSync(file)) throw error
    }
    rmSync(partial)
  }
  return readFileSync(file, 'utf8').trim()
}
