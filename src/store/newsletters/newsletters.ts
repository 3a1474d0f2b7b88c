import { sql, type Selectable } from 'kysely'
import {
  cadencesOf,
  isPlain,
  isResting,
  schedulesOf,
  type Block,
  type CadenceRule,
  type Newsletter,
  type Schedule,
} from '../../domain/newsletter.ts'
import { notFound } from '../../errors.ts'
import { databaseTime, hasRow, listRows, rowsOf, type Executor } from '../executor.ts'
import type { NewsletterCadences } from '../schema.ts'

export type NewNewsletter = Omit<Newsletter, 'id' | 'schedules' | 'beganAt' | 'createdAt' | 'updatedAt'> & {
  /** Undefined: plain ones, as the cadences say. */
  schedules?: Schedule[] | undefined
  beganAt?: Date
}

export function newslettersStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('newsletters')
      .selectAll()
      .$narrowType<Pick<Newsletter, 'approval' | 'repeats' | 'template' | 'state'>>()
  type Row = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number]

  const withCadences = async (rows: Row[]): Promise<Newsletter[]> => {
    if (rows.length === 0) return []
    const rules = await db
      .selectFrom('newsletterCadences')
      .selectAll()
      .where(
        'newsletterId',
        'in',
        rows.map((row) => row.id),
      )
      .orderBy(sql`array_position(array['daily', 'weekly', 'alert'], cadence)`)
      .execute()
    return rows.map(({ sender, blocks, restingCadences, schedules, ...row }) => ({
      ...row,
      from: sender,
      blocks: blocks as unknown as Block[],
      ...toSchedules(
        schedules as unknown as Record<string, Schedule>,
        (restingCadences as unknown as CadenceRule[] | null) ??
          rules.filter((rule) => rule.newsletterId === row.id).map(toCadence),
      ),
    }))
  }

  const insertCadences = async (newsletterId: number, newsletter: NewNewsletter) => {
    const { rules } = toStored(newsletter)
    if (isResting(newsletter) || rules.length === 0) return
    await db
      .insertInto('newsletterCadences')
      .values(rules.map((rule) => ({ newsletterId, ...toCadenceRow(rule) })))
      .execute()
  }

  return {
    /** In the order of the publication: the first is the one that signup offers first. */
    async list(): Promise<Newsletter[]> {
      return withCadences(await select().orderBy('position').orderBy('id').execute())
    },

    async findBySlug(slug: string): Promise<Newsletter | undefined> {
      const rows = await select().where('slug', '=', slug).execute()
      return (await withCadences(rows))[0]
    },

    /** @throws DomainError `no_newsletter` */
    async getBySlug(slug: string): Promise<Newsletter> {
      const newsletter = await this.findBySlug(slug)
      if (!newsletter) throw notFound('no_newsletter', `There is no newsletter ${slug}.`)
      return newsletter
    },

    /** @throws DomainError `no_newsletter` */
    async get(id: number): Promise<Newsletter> {
      const rows = await select().where('id', '=', id).execute()
      const [newsletter] = await withCadences(rows)
      if (!newsletter) throw notFound('no_newsletter', 'There is no such newsletter.')
      return newsletter
    },

    /** Whether it has ended: until the transaction does nobody takes that back. */
    hasEnded: (id: number) =>
      hasRow(db)`select from newsletters where id = ${id} and state = 'ended' for share`,

    /** Until the transaction ends nobody else claims or changes it. */
    async claim(id: number): Promise<void> {
      await db.selectFrom('newsletters').select('id').where('id', '=', id).forUpdate().execute()
    },

    /** For a box that offers a few, those of this language first. */
    listForBox: (
      language: string,
      limit: number,
    ): Promise<Pick<Newsletter, 'slug' | 'name' | 'language'>[]> =>
      listRows<Pick<Newsletter, 'slug' | 'name' | 'language'>>(db)`
        select slug, name, language from newsletters where state = 'public'
        order by language = ${language} desc, position, id limit ${limit}`,

    async listByIds(ids: number[]): Promise<Newsletter[]> {
      if (ids.length === 0) return []
      return withCadences(await select().where('id', 'in', ids).execute())
    },

    /** Undefined where the slug is taken. Call it in a transaction: cadences are rows of their own. */
    async insert(newsletter: NewNewsletter): Promise<Newsletter | undefined> {
      const row = await db
        .insertInto('newsletters')
        .values(toRow(newsletter))
        .onConflict((conflict) => conflict.column('slug').doNothing())
        .returning('id')
        .executeTakeFirst()
      if (!row) return undefined
      await insertCadences(row.id, newsletter)
      return this.get(row.id)
    },

    /** Call it in a transaction: cadences are rows of their own. */
    async update(id: number, newsletter: NewNewsletter): Promise<Newsletter> {
      await rowsOf(db, 'newsletters', { id }).update({ ...toRow(newsletter), updatedAt: databaseTime })
      await rowsOf(db, 'newsletterCadences', { newsletterId: id }).delete()
      await insertCadences(id, newsletter)
      return this.get(id)
    },

    /** Active subscriptions, by newsletter id; a newsletter without any is absent. */
    async countReaders(): Promise<Map<number, number>> {
      const rows = await db
        .selectFrom('readerCounts')
        .select(['newsletterId', sql<number>`sum(n)`.as('readers')])
        .groupBy('newsletterId')
        .having(sql`sum(n)`, '>', 0)
        .execute()
      return new Map(rows.map((row) => [row.newsletterId, row.readers]))
    },
  }
}

function toRow(newsletter: NewNewsletter) {
  const { cadences: _, from, blocks, ...row } = newsletter
  const { rules, schedules } = toStored(newsletter)
  return {
    ...row,
    restingCadences: isResting(row) ? JSON.stringify(rules) : null,
    schedules: JSON.stringify(schedules),
    blocks: JSON.stringify(blocks),
    sender: from,
  }
}

/** Plain schedules are rows, which the version before knows; of any other it must neither open nor send a digest. */
function toStored({ cadences, schedules = schedulesOf(cadences) }: NewNewsletter) {
  const own = schedules.filter((schedule) => !isPlain(schedule))
  return {
    rules: cadencesOf(schedules.filter(isPlain), cadences),
    schedules: Object.fromEntries(own.map((schedule) => [schedule.cadence, schedule])),
  }
}

/** A row of a cadence was written after its schedule: by the version before. */
function toSchedules(own: Record<string, Schedule>, rules: CadenceRule[]) {
  const byCadence = { ...own, ...Object.fromEntries(schedulesOf(rules).map((one) => [one.cadence, one])) }
  const schedules = ['daily', 'weekly']
    .map((cadence) => byCadence[cadence])
    .filter((one) => one !== undefined)
  return { schedules, cadences: cadencesOf(schedules, rules) }
}

function toCadenceRow(rule: CadenceRule) {
  return {
    cadence: rule.cadence,
    localTime: rule.cadence === 'alert' ? null : rule.time,
    zone: rule.cadence === 'alert' ? null : rule.zone,
    weekday: rule.cadence === 'weekly' ? rule.weekday : null,
    maxPerDay: rule.cadence === 'alert' ? (rule.maxPerDay ?? null) : null,
  }
}

function toCadence(row: Selectable<NewsletterCadences>): CadenceRule {
  const time = (row.localTime ?? '').slice(0, 5)
  const zone = row.zone ?? 'UTC'
  if (row.cadence === 'daily') return { cadence: 'daily', time, zone }
  if (row.cadence === 'weekly') return { cadence: 'weekly', weekday: row.weekday ?? 1, time, zone }
  return { cadence: 'alert', ...(row.maxPerDay !== null && { maxPerDay: row.maxPerDay }) }
}
