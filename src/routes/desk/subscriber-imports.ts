import { z } from 'zod'
import { get, idOf, postForm, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import { listOf } from '../../http/form-fields.ts'
import { columnUses } from '../../domain/subscribers/import-columns.ts'
import { toPageRequest } from '../../http/route.ts'
import { DomainError, invalid } from '../../errors.ts'
import { importOutcomes } from '../../services/subscribers/import/rows.ts'
import type { Services } from '../../services/services.ts'

const form = z.object({
  basis: z.union([z.literal('').transform(() => undefined), z.string().trim().min(3).max(500)]).optional(),
  trial: z.string().optional(),
})
/** What each column is for, in the order of the file. */
const againForm = form.extend({ use: z.preprocess(listOf, z.array(z.enum(columnUses))) })
const shownImports = 20
/** What may be wrong with a file, in a sentence at its field. */
const fileFaults = ['csv_header', 'not_csv', 'too_large', 'import_file']

/** Subscribers come in: try, import, watch, read what became of the rows. */
export function importsDesk({ imports, newsletters }: Services): DeskRoute[] {
  const showForm = async ({ page, request }: DeskCall, more: object = {}) => {
    const { data } = await imports.list(toPageRequest({ limit: shownImports }))
    page('desk/imports', { rows: data, typed: request.body as object | undefined, ...more })
  }
  const showOne = async ({ request, page, session }: DeskCall, more: object = {}) => {
    const one = await imports.get(idOf(request), session.language)
    const isOver = one.state === 'done' || one.state === 'failed'
    page('desk/import', {
      one,
      isOver,
      hasWorker: isOver || (await imports.hasWorker()),
      uses: one.state === 'done' && one.dryRun && (await imports.hasUpload(one.id)) ? columnUses : undefined,
      counts: ['rows', ...importOutcomes, 'invalid'],
      names: await newsletters.names(),
      ...more,
    })
  }
  return [
    get('/imports', 'editor', (call) => showForm(call)),
    {
      ...postForm('/imports', 'editor', showForm, async (call) => {
        const { basis, trial } = form.parse(call.request.body)
        try {
          if (!call.upload) throw invalid('import_file', 'Choose a file.')
          const wish = { actor: call.actor, isDryRun: trial !== undefined, consentBasis: basis }
          const { id } = await imports.upload(call.upload, wish)
          call.redirect(`/imports/${id}`)
        } catch (error) {
          if (!(error instanceof DomainError) || !fileFaults.includes(error.code)) throw error
          call.response.status(422)
          await showForm(call, { faults: ['file'], fileFault: error.code })
        }
      }),
      bodyLimit: 'upload',
    },
    get('/imports/:id', 'editor', (call) => showOne(call)),
    postForm('/imports/:id', 'editor', showOne, async ({ request, actor, redirect }) => {
      const { basis, trial, use } = againForm.parse(request.body)
      const { report } = await imports.get(idOf(request))
      // Of columns with one name, one is for something.
      const columns = Object.fromEntries(
        report.columns
          .map(({ column }, index) => [column, use[index] ?? 'ignored'] as const)
          .sort(([, one], [, other]) => Number(one !== 'ignored') - Number(other !== 'ignored')),
      )
      const wish = { actor, isDryRun: trial !== undefined, consentBasis: basis, columns }
      const { id } = await imports.again(idOf(request), wish)
      redirect(`/imports/${id}`)
    }),
  ]
}
