import type { Selectable } from 'kysely'
import type { PickedList } from '../../domain/articles/pick.ts'
import { databaseTime, rowsOf, type Executor } from '../executor.ts'
import type { Picks } from '../schema.ts'

const columns = ['slug', 'names', 'articleIds', 'startsAt', 'endsAt', 'onFront'] as const
const toPick = (row: Pick<Selectable<Picks>, (typeof columns)[number]>): PickedList => ({
  ...row,
  names: row.names as Record<string, string>,
})

export function picksStore(db: Executor) {
  const select = () => db.selectFrom('picks').select(columns)

  return {
    async list(): Promise<PickedList[]> {
      return (await select().orderBy('slug').execute()).map(toPick)
    },

    async listBySlug(slugs: string[]): Promise<PickedList[]> {
      if (slugs.length === 0) return []
      return (await select().where('slug', 'in', slugs).execute()).map(toPick)
    },

    /** Those that stand at the side of the front page, each at its time. */
    async listOnFront(): Promise<PickedList[]> {
      return (await select().where('onFront', '=', true).orderBy('slug').execute()).map(toPick)
    },

    async find(slug: string): Promise<PickedList | undefined> {
      return (await this.listBySlug([slug]))[0]
    },

    /** Until the transaction ends nobody else changes it. */
    async claim(slug: string): Promise<void> {
      await db.selectFrom('picks').select('id').where('slug', '=', slug).forUpdate().execute()
    },

    async put({ names, ...pick }: PickedList): Promise<void> {
      const row = { ...pick, names: JSON.stringify(names), updatedAt: databaseTime }
      await db
        .insertInto('picks')
        .values(row)
        .onConflict((conflict) => conflict.column('slug').doUpdateSet(row))
        .execute()
    },

    delete: (slug: string) => rowsOf(db, 'picks', { slug }).delete(),
  }
}
