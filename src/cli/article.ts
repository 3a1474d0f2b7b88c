import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { UsageError } from './failure.ts'
import type { ArticleInput } from '../services/articles/input.ts'
import { answer, cliActor, withContext, withJson } from './command.ts'
import { printResult } from './output.ts'

export function articleCommand(program: Command): void {
  const article = program.command('article').description('the stories')
  withJson(
    article,
    'merge <id> <other>',
    'make one article of two that are one story: the one that has been public longer stays',
  ).action(
    answer(async ({ services }, one: string, other: string) => {
      const { kept, gone } = await services.articles.merge(one, other, cliActor)
      const lines = [`${kept.externalId} stays; what led to ${gone.externalId} leads there`]
      return [{ kept: kept.externalId, merged: gone.externalId }, lines]
    }),
  )

  article
    .command('put <file>')
    .description('create or update one article from JSON: the body of the API, and its externalId')
    .option('--json', 'print the article for programs')
    .action(async (file: string, options: { json?: boolean }) => {
      const { externalId, ...body } = await readArticle(file)
      const { outcome, shape } = await withContext(async ({ services }) => {
        const put = await services.articles.put(externalId, body as ArticleInput)
        return { outcome: put.outcome, shape: services.articles.toShape(put.article) }
      })
      printResult(options, { ...shape, outcome }, [`${outcome}: ${shape.url}`])
    })
}

/** @throws UsageError where the file is not a JSON object with an external id */
async function readArticle(file: string): Promise<Record<string, unknown> & { externalId: string }> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file} cannot be read; check its path.`)
  })
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && 'externalId' in value) {
      const { externalId } = value
      if (typeof externalId === 'string') return { ...value, externalId }
    }
  } catch {
    // Falls through: not JSON and not an article are answered alike.
  }
  throw new UsageError(
    `${file} must hold a JSON object with "externalId", "title", "language", and "html" or "markdown".`,
  )
}
