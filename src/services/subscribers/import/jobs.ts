import { setFlagsFromString } from 'node:v8'
import { toPage, type Page, type PageRequest } from '../../../domain/cursor.ts'
import { mayActAs, nameOfActor, type Actor } from '../../../domain/editor.ts'
import { conflict, forbidden, invalid, notFound } from '../../../errors.ts'
import { findColumns, type ColumnMap } from '../../../domain/subscribers/import-columns.ts'
import type { Stores } from '../../../store/stores.ts'
import type { ClaimedImport } from '../../../store/subscribers/imports.ts'
import { answerIdempotently } from '../../idempotency.ts'
import { describeCsv, noHeader, type CsvFormat } from './csv-format.ts'
import { addBatch, countsOf, emptyTally, toImportShape, type ImportShape, type Tally } from './report.ts'
import { createUploadCounter, uploadLimitBytes } from './upload.ts'
import type { Parts } from '../../parts.ts'
import { createRowReader, listOffered, readRows, type Problem, type RawRow, type Row } from './csv.ts'
import { createSubscriberPlacing, personOf, type Placing } from './rows.ts'

export interface ImportOptions {
  actor: Actor
  isDryRun: boolean
  /** How consent was given, in words; needs an admin. Without it everyone gets an activation mail. */
  consentBasis?: string | undefined
  columns?: ColumnMap | undefined
  /** As the client announces them: what is too large is refused before it is sent. */
  bytes?: number | undefined
  /** The same upload under the same key is one import. */
  idempotencyKey?: string | undefined
}

const pieceBytes = 64 * 1024
const rowsPerTransaction = 500
/** Claims that commit nothing before an import is given up. */
const mostAttempts = 5

/** Rows that are committed together, and what was read with them. */
interface Batch {
  rows: Row[]
  problems: Problem[]
  read: number
}

/** The import of subscribers: an upload that any worker places, row by row, each once. */
export function createImportService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'log' | 'now' | 'sendingTimes'>,
) {
  const { database, doorbell, log, now } = parts
  const { leaseSeconds } = parts.sendingTimes
  const { stores } = database
  const placing = createSubscriberPlacing(parts)
  let isDraining = false
  const running = new Set<Promise<void>>()

  return {
    /**
     * Takes a CSV in as it comes and leaves it to the workers. An upload that breaks off, or is none, leaves nothing.
     * @throws DomainError `basis_needs_admin`, `csv_header`, `not_csv`, `too_large`, `idempotency_key_reused`
     */
    async upload(source: AsyncIterable<Buffer>, options: ImportOptions): Promise<{ id: number }> {
      requireAdminForBasis(options)
      if ((options.bytes ?? 0) > uploadLimitBytes) throw tooLarge()
      const { isDryRun, consentBasis: basis, columns } = options
      const id = await stores.imports.insert({ actor: nameOfActor(options.actor), isDryRun, basis })
      try {
        const upload = await keepPieces(id, source)
        const accepted = await accept(
          id,
          { ...upload, format: describeCsv(upload, { columns, isTrial: isDryRun }) },
          options,
        )
        if (accepted !== id) await stores.imports.delete(id)
        await doorbell.ring('import-subscribers', { importId: accepted })
        return { id: accepted }
      } catch (error) {
        await stores.imports.delete(id)
        throw error
      }
    },

    /**
     * The file of a dry run once more, for good or tried with other columns; the dry run has it no longer.
     * @throws DomainError `no_import`, `basis_needs_admin`, `csv_header`, `no_upload`
     */
    async again(id: number, options: ImportOptions): Promise<{ id: number }> {
      requireAdminForBasis(options)
      const { isDryRun, consentBasis: basis, actor, columns } = options
      const next = await database.transaction(async (tx) => {
        const tried = required(await tx.imports.find(id))
        const format = { ...(tried.format as CsvFormat), columns }
        if (findColumns(format.header ?? ['email'], columns).fields.email === undefined) throw noHeader()
        const next = await tx.imports.insert({ actor: nameOfActor(actor), isDryRun, basis })
        if (!(await tx.imports.movePieces(id, next))) throw noUpload()
        await enter(tx, next, { format, lines: tried.lines }, options)
        return next
      })
      await doorbell.ring('import-subscribers', { importId: next })
      return { id: next }
    },

    /** Whether the file is still here, for `again`. */
    hasUpload: (id: number): Promise<boolean> => stores.imports.hasPieces(id),

    /** @throws DomainError `no_import` */
    async get(id: number, language = 'en'): Promise<ImportShape> {
      const found = required(await stores.imports.find(id))
      return toImportShape(found, await stores.newsletters.list(), language)
    },

    /** False, and all of them wait. */
    hasWorker: async (): Promise<boolean> => (await stores.workers.countAlive()) > 0,

    /** Newest first. */
    async list(request: PageRequest): Promise<Page<ImportShape>> {
      const beforeId = request.after === undefined ? undefined : Number(request.after[0])
      const rows = await stores.imports.list({ beforeId, limit: request.limit + 1 })
      const page = toPage(rows, request.limit, (row) => [row.id])
      const newsletters = await stores.newsletters.list()
      return { data: page.data.map((row) => toImportShape(row, newsletters)), next: page.next }
    },

    /** Goes on with an import where it stands, until it has ended or this process drains. */
    async work(id: number): Promise<void> {
      const claimed = isDraining ? undefined : await stores.imports.claim(id, leaseSeconds)
      if (!claimed) return
      growHeapBy(30)
      const work = workOn(claimed)
      running.add(work)
      await work.finally(() => {
        running.delete(work)
        growHeapBy(0)
      })
      for (const next of await stores.imports.listOpen())
        await doorbell.ring('import-subscribers', { importId: next })
    },

    /** Ends with the batch under way; another worker goes on. */
    async drain(): Promise<void> {
      isDraining = true
      await Promise.allSettled(running)
    },

    purge: (): Promise<void> => stores.imports.deleteOld(),
  }

  async function keepPieces(id: number, source: AsyncIterable<Buffer>) {
    const counter = createUploadCounter()
    let number = 0
    let held: Buffer[] = []
    let size = 0
    const flush = async () => {
      await stores.imports.insertPiece(id, number, Buffer.concat(held))
      number += 1
      held = []
      size = 0
    }
    for await (const chunk of source) {
      counter.add(chunk)
      if (counter.bytes > uploadLimitBytes) throw tooLarge()
      held.push(chunk)
      size += chunk.length
      if (size >= pieceBytes) await flush()
    }
    if (size > 0) await flush()
    return counter.end()
  }

  /** Written down, with the audit row first; the answer of an earlier upload under the same key stands. */
  async function accept(
    id: number,
    upload: { format: CsvFormat; lines: number; sha256: string },
    options: ImportOptions,
  ): Promise<number> {
    const { actor, isDryRun, consentBasis, columns, idempotencyKey } = options
    return database.transaction(async (tx) => {
      const write = async () => {
        await enter(tx, id, upload, options)
        return { status: 202, body: { id } }
      }
      if (idempotencyKey === undefined) return (await write()).body.id
      const body = {
        file: upload.sha256,
        isDryRun,
        consentBasis: consentBasis ?? null,
        ...(columns && { columns }),
      }
      const answer = await answerIdempotently(
        tx,
        { actor, action: 'import subscribers', idempotencyKey, body },
        write,
      )
      return (answer.body as { id: number }).id
    })
  }

  async function workOn(claimed: ClaimedImport): Promise<void> {
    if (claimed.attempts > mostAttempts) {
      await stores.imports.markEnded(claimed, 'failed')
      log.error({ importId: claimed.id }, 'an import failed again and again; it is given up')
      return
    }
    // Where this fails, the lease is left to run out: what ails it has time to pass.
    const tally = await placeAll(claimed)
    if (tally) await finish(claimed, tally)
  }

  /** Undefined where another worker goes on. */
  async function placeAll(claimed: ClaimedImport): Promise<Tally | undefined> {
    const format = claimed.format as CsvFormat
    const common = await placingOf(claimed)
    const place = claimed.isDryRun ? placing.foresee : placing.place
    const readRow = createRowReader(format, await listOffered(stores, now()))
    let { rowsRead } = claimed
    let tally = { ...emptyTally(), ...(claimed.report as Partial<Tally>) }
    const rows = readRows(piecesOf(claimed.id), format)
    for await (const batch of batchesOf(rows, { readRow, skipped: rowsRead })) {
      const committed = await database
        .transaction(async (tx) => {
          const outcomes = await place(tx, batch.rows, { ...common, pendingBefore: tally.pending })
          const { next, problems } = addBatch(tally, { ...batch, outcomes })
          const progress = { rowsRead: rowsRead + batch.read, report: next, problems }
          if (!(await tx.imports.markProgress(claimed, leaseSeconds, progress))) throw new TakenOver()
          return next
        })
        .catch((error: unknown) => {
          if (error instanceof TakenOver) return undefined
          throw error
        })
      if (!committed) return undefined
      tally = committed
      rowsRead += batch.read
      if (isDraining) {
        await stores.imports.release(claimed)
        return undefined
      }
    }
    return tally
  }

  async function placingOf(claimed: ClaimedImport): Promise<Omit<Placing, 'pendingBefore'>> {
    const firstMailAt = claimed.firstMailAt ?? (await placing.findTurn(stores))
    if (!claimed.firstMailAt) await stores.imports.updateFirstMailAt(claimed, firstMailAt)
    return { importId: claimed.id, basis: claimed.basis, firstMailAt }
  }

  async function* piecesOf(id: number): AsyncGenerator<Buffer> {
    for (let number = 0; ; number += 1) {
      const piece = await stores.imports.findPiece(id, number)
      if (!piece) return
      yield piece
    }
  }

  async function finish(claimed: ClaimedImport, tally: Tally): Promise<void> {
    const isMine = await database.transaction(async (tx) => {
      if (!(await tx.imports.markEnded(claimed, 'done'))) return false
      await tx.audit.insert(claimed.actor, 'subscribers.imported', `import:${claimed.id}`, {
        dryRun: claimed.isDryRun,
        ...countsOf((name) => tally[name]),
      })
      return true
    })
    if (isMine && tally.pending > 0 && !claimed.isDryRun) await doorbell.ring('decide-signups', {})
  }
}

/** Into the queue, with the audit row first. */
async function enter(
  tx: Stores,
  id: number,
  upload: { format: CsvFormat; lines: number },
  { actor, isDryRun, consentBasis }: ImportOptions,
): Promise<void> {
  const detail = { dryRun: isDryRun, basis: consentBasis ?? null }
  await tx.audit.insert(actor, 'subscribers.import', `import:${id}`, detail)
  await tx.imports.markWaiting(id, upload)
}

function required<T>(found: T | undefined): T {
  if (found !== undefined) return found
  throw notFound('no_import', 'There is no such import; reports are kept for 90 days.')
}

const noUpload = () =>
  conflict(
    'no_upload',
    'The file of this import is here no more: it was imported, or seven days have gone by. Upload it again.',
  )

const tooLarge = () =>
  invalid('too_large', 'An import takes up to 256 MB; cut the file in two, each with its header.')

/**
 * What a batch holds outlives the young generation and is garbage a moment later; left to itself V8 lets that grow to
 * four times the heap before it looks. In percent; 0 leaves it to itself.
 */
const growHeapBy = (percent: number) => {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Another worker has the import: what was done of this batch must not stay. */
class TakenOver extends Error {}

export function requireAdminForBasis({
  actor,
  consentBasis,
}: Pick<ImportOptions, 'actor' | 'consentBasis'>): void {
  if (consentBasis === undefined || mayActAs(actor.role, 'admin')) return
  const sentence = 'Only an admin may state a basis of consent; without it everyone gets an activation mail.'
  throw forbidden('basis_needs_admin', sentence)
}

/** No batch holds an address twice: the second finds what the first has become. */
async function* batchesOf(
  pieces: AsyncIterable<(RawRow | Problem)[]>,
  { readRow, skipped }: { readRow: (raw: RawRow) => Row | Problem; skipped: number },
): AsyncGenerator<Batch> {
  let batch: Batch = { rows: [], problems: [], read: 0 }
  let people = new Set<string>()
  let seen = 0
  for await (const rows of pieces) {
    for (const raw of rows) {
      seen += 1
      if (seen <= skipped) continue
      const row = 'problem' in raw ? raw : readRow(raw)
      const person = 'problem' in row ? undefined : personOf(row)
      if (batch.read === rowsPerTransaction || (person !== undefined && people.has(person))) {
        yield batch
        batch = { rows: [], problems: [], read: 0 }
        people = new Set()
      }
      batch.read += 1
      if (person !== undefined) people.add(person)
      if ('problem' in row) batch.problems.push(row)
      else batch.rows.push(row)
    }
  }
  if (batch.read > 0) yield batch
}
