import { z } from 'zod'
import { columnUses } from '../../domain/subscribers/import-columns.ts'
import { invalid } from '../../errors.ts'
import { get, post, pageQuery, rowId, toPageRequest, type ApiRoute } from '../../http/route.ts'
import { importShape } from '../../services/subscribers/import/report.ts'
import type { Services } from '../../services/services.ts'

const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1')
const basis = z.string().trim().min(3).max(500).optional()

export function importApi({ imports }: Pick<Services, 'imports'>): ApiRoute[] {
  return [
    post('/subscribers/import', 'editor', {
      summary: 'CSV in, placed by a worker; `dryRun` changes nothing, `consentBasis` needs an admin',
      query: z.strictObject({
        dryRun: flag.default(false),
        consentBasis: basis,
      }),
      headers: z.object({ 'Idempotency-Key': z.string().optional() }),
      body: 'stream',
      answers: { 202: z.object({ id: z.int() }) },
      handle: async ({ request, query, actor }) => {
        const wish = { actor, isDryRun: query.dryRun, consentBasis: query.consentBasis }
        const bytes = Number(request.get('content-length') ?? 0)
        const idempotencyKey = request.get('idempotency-key')?.slice(0, 200)
        // What is refused halfway is let by to its end: a client reads no answer while it still sends.
        const body = await imports
          .upload(request.iterator({ destroyOnReturn: false }), { ...wish, bytes, idempotencyKey })
          .catch((error: unknown) => {
            if (!request.destroyed || request.complete) throw error
            throw invalid('malformed_body', 'The upload broke off; send it again.', {
              cause: error,
            })
          })
          .finally(() => request.resume())
        return { body, headers: { Location: `/api/v1/imports/${body.id}` } }
      },
    }),
    post('/imports/{id}/again', 'editor', {
      summary:
        'Import the file of a dry run for good, or try it with other columns; it is kept for seven days',
      params: z.strictObject({ id: rowId }),
      body: z.strictObject({
        dryRun: z.boolean().default(false),
        consentBasis: basis,
        columns: z
          .record(z.string().max(100), z.enum(columnUses))
          .optional()
          .describe('What columns are for, by their names in the file; the others as their names tell'),
      }),
      answers: { 202: z.object({ id: z.int() }) },
      handle: async ({ params, body: { dryRun: isDryRun, ...wish }, actor }) => {
        const body = await imports.again(params.id, { ...wish, isDryRun, actor })
        return { body, headers: { Location: `/api/v1/imports/${body.id}` } }
      },
    }),
    get('/imports', 'editor', {
      summary: 'Imports of subscribers, newest first; reports are kept for 90 days',
      query: z.strictObject(pageQuery),
      answers: { 200: z.object({ data: z.array(importShape), next: z.string().nullable() }) },
      handle: async ({ query }) => ({ body: await imports.list(toPageRequest(query)) }),
    }),
    get('/imports/{id}', 'editor', {
      summary: 'How far an import is, and what became of its rows',
      params: z.strictObject({ id: rowId }),
      answers: { 200: importShape },
      handle: async ({ params }) => ({ body: await imports.get(params.id) }),
    }),
  ]
}
