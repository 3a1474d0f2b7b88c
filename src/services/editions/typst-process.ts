import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { mostPixels } from '../../domain/media.ts'
import { answerOnce } from '../../isolation.ts'
import { sharp } from '../media/sharp.ts'
import type { SetPaper, SettingTask } from './paper-cache.ts'

/**
 * Sets the paper it is sent, and ends. Typst holds its thread until it is done: another watches its memory. It reads
 * what it is given, and nothing beside it.
 */
answerOnce((task: SettingTask) =>
  set(task).catch((error: unknown): SetPaper => ({
    fault: error instanceof Error ? error.message : String(error),
  })),
)
const mostMemoryBytes = 700 * 1024 ** 2
new Worker(
  `setInterval(() => { if (process.memoryUsage.rss() > ${mostMemoryBytes}) process.kill(process.pid, 'SIGKILL') }, 50)`,
  { eval: true, env: {} },
).unref()

const templates = fileURLToPath(new URL('../../../templates/', import.meta.url))
const workspace = `${templates}editions`

async function set({ template, paper, pictures }: SettingTask): Promise<SetPaper> {
  const { NodeCompiler } = await import('@myriaddreamin/typst-ts-node-compiler')
  const files = await Promise.all(
    pictures.map(async ({ file, ...picture }) => ({ file, bytes: await toPrint(picture) })),
  )
  const fonts = readdirSync(`${templates}fonts`).filter((name) => name.endsWith('.ttf'))
  const compiler = NodeCompiler.create({
    workspace,
    fontArgs: [{ fontBlobs: fonts.map((name) => readFileSync(`${templates}fonts/${name}`)) }],
  })
  const absent = files.flatMap(({ file, bytes }) => (bytes ? [] : [file]))
  compiler.mapShadow(`${workspace}/paper.json`, Buffer.from(JSON.stringify({ ...paper, absent })))
  for (const { file, bytes } of files) if (bytes) compiler.mapShadow(`${workspace}/${file}`, bytes)
  const compiled = compiler.compile({ mainFileContent: template })
  const { result } = compiled
  if (!result) return { fault: JSON.stringify(compiled.takeError()?.shortDiagnostics ?? []) }
  try {
    return { bytes: compiler.pdf(result, { pdfStandard: 'ua-1' }), isWhole: absent.length === 0 }
  } catch (error) {
    // For example a character that none of the fonts has: the PDF is tagged all the same.
    const plainReason = error instanceof Error ? error.message : String(error)
    return { bytes: compiler.pdf(result), isWhole: absent.length === 0, plainReason }
  }
}

/** JPEG as fine as paper shows it; undefined for what is no picture. A logo keeps its transparency. */
async function toPrint({ bytes, width, isLogo }: Omit<SettingTask['pictures'][number], 'file'>) {
  if (!bytes) return undefined
  try {
    const fitted = sharp(bytes, { limitInputPixels: mostPixels })
      .autoOrient()
      .resize({ width, withoutEnlargement: true })
      .toColourspace('srgb')
    return isLogo
      ? await fitted.png().toBuffer()
      : await fitted.flatten({ background: '#ffffff' }).jpeg({ quality: 74 }).toBuffer()
  } catch {
    return undefined
  }
}
