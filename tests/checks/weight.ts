import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What a newcomer reads, what others may break, and what a server downloads: decision 74. */
const limits = { lines: 42_000, dependencies: 32, megabytes: 230 }

type Weight = typeof limits

/** @returns a sentence for each limit that is passed */
export function listExcesses({ lines, dependencies, megabytes }: Weight): string[] {
  return [
    lines > limits.lines &&
      `src and workers have ${lines} lines, ${limits.lines} at most: delete what is replaced.`,
    dependencies > limits.dependencies &&
      `package.json has ${dependencies} runtime dependencies, ${limits.dependencies} at most.`,
    megabytes > limits.megabytes &&
      `a production install has ${megabytes} MB, ${limits.megabytes} at most: \`du -sk node_modules/* | sort -n\` tells where.`,
  ].filter((sentence) => sentence !== false)
}

export function weigh(root: string): Weight {
  const { dependencies, optionalDependencies } = readPackage(root)
  const lines = ['src', 'workers'].flatMap((folder) => filesOf(join(root, folder))).map(countLines)
  return {
    lines: lines.reduce((sum, each) => sum + each, 0),
    dependencies: Object.keys({ ...dependencies, ...optionalDependencies }).length,
    megabytes: Math.ceil(productionBytes(root) / 1024 ** 2),
  }
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
const readPackage = (root: string) =>
  readJson(join(root, 'package.json')) as Partial<
    Record<'dependencies' | 'optionalDependencies', Record<string, string>>
  >

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

const countLines = (file: string): number => readFileSync(file, 'utf8').split('\n').length - 1

/** What `npm ci --omit=dev` brings, by the packages of the lock file that are installed here. */
function productionBytes(root: string): number {
  const lock = readJson(join(root, 'package-lock.json')) as { packages: Record<string, { dev?: boolean }> }
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev && existsSync(join(root, path)))
    .reduce((sum, [path]) => sum + bytesOnDisk(join(root, path)), 0)
}

const block = 4096

/** As `du` counts on a disk of 4 kB blocks; packages within are listed, and counted, by themselves. */
function bytesOnDisk(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + bytesOnDisk(path)
    return sum + (entry.isFile() ? Math.ceil(statSync(path).size / block) * block : 0)
  }, block)
}

if (import.meta.main) {
  const weight = weigh(resolve(import.meta.dirname, '../..'))
  const { lines, dependencies, megabytes } = weight
  process.stdout.write(
    `${lines} lines, ${dependencies} runtime dependencies, ${megabytes} MB in production\n`,
  )
  const excesses = listExcesses(weight)
  for (const sentence of excesses) process.stderr.write(`${sentence}\n`)
  process.exitCode = excesses.length === 0 ? 0 : 1
}
