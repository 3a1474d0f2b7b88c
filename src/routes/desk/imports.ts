import { z } from 'zod'
import { get, idOf, post, type DeskCall, type DeskRoute } from '../../http/desk.ts'
import { toPageRequest } from '../../http/route.ts'
import { DomainError, invalid } from '../../errors.ts'
import { importOutcomes } from '../../services/subscribers/import/rows.ts'
import type { Services } from '../../services/services.ts'

const form = z.object({
  basis: z.union([z.literal('').transform(() => undefined), z.string().trim().min(3).max(500)]).optional(),
  trial: z.string().optional(),
})
const shownImports = 20
/** What may be wrong with a file, in a sentence at its field. */
const fileFaults = ['csv_header', 'not_csv', 'too_large', 'import_file']

/** Subscribers come in: try, import, watch, read what became of the rows. */
export function importsDesk({ imports, newsletters }: Services): DeskRoute[] {
  const showForm = async ({ page, request }: DeskCall, more: object = {}) => {
    const { data } = await imports.list(toPageRequest({ limit: shownImports }))
    page('desk/imports', { rows: data, typed: request.body as object | undefined, ...more })
  }
  return [
    get('/imports', 'editor', (call) => showForm(call)),
    {
      ...post('/imports', 'editor', async (call) => {
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
      showFaults: (call, faults) => showForm(call, { faults }),
    },
    get('/imports/:id', 'editor', async ({ request, page, session }) => {
      const one = await imports.get(idOf(request), session.language)
      const isOver = one.state === 'done' || one.state === 'failed'
      page('desk/import', {
        one,
        isOver,
        hasWorker: isOver || (await imports.hasWorker()),
        counts: ['rows', ...importOutcomes, 'invalid'],
        names: await newsletters.names(),
      })
    }),
  ]
}
