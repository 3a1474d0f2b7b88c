import { Readable } from 'node:stream'
import { cliActor } from '../../src/cli/command.ts'
import type { ImportReport, ImportShape } from '../../src/services/subscribers/import/report.ts'
import type { Web } from './web.ts'

export interface ImportWish {
  isDryRun?: boolean
  /** How consent was given. */
  basis?: string | undefined
}

/** Uploads a CSV; a worker has it then, where one runs. */
export async function uploadCsv(
  { context }: Pick<Web, 'context'>,
  csv: string | Buffer,
  { isDryRun = false, basis }: ImportWish = {},
): Promise<number> {
  const { id } = await context.services.imports.upload(Readable.from([Buffer.from(csv)]), {
    actor: cliActor,
    isDryRun,
    consentBasis: basis,
  })
  return id
}

/** The same, and what a worker made of it. */
export async function importCsv(
  web: Pick<Web, 'context'>,
  csv: string | Buffer,
  wish: ImportWish = {},
): Promise<ImportReport> {
  const { imports } = web.context.services
  const id = await uploadCsv(web, csv, wish)
  await imports.work(id)
  return (await imports.get(id)).report
}

/** Sends it to the API as this key would; the import as it is once a worker has placed it, or the refusal. */
export async function postCsv(
  web: Web,
  csv: string,
  query = '',
  role: 'admin' | 'editor' = 'admin',
): Promise<ImportShape> {
  const api = await web.api(role)
  const answer = await api('POST', `/subscribers/import${query}`, csv, { 'content-type': 'text/csv' })
  const body = (await answer.json()) as ImportShape
  if (answer.status !== 202) return body
  await web.context.services.imports.work(body.id)
  return (await (await api('GET', `/imports/${body.id}`)).json()) as ImportShape
}
