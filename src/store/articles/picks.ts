import type { PickedList } from '../../domain/articles/pick.ts'
import { databaseTime, rowsOf, type Executor } from '../executor.ts'

export function picksStore(db: Executor) {
  const select = () =>
    db
      .selectFrom('picks')
      .select(['slug', 'names', 'articleIds', 'startsAt', 'endsAt', 'onFront'])
      .$castTo<PickedList>()

  return {
    list: (): Promise<PickedList[]> => select().orderBy('slug').execute(),

    async listBySlug(slugs: string[]): Promise<PickedList[]> {
      if (slugs.length === 0) return []
      return select().where('slug', 'in', slugs).execute()
    },

    /** Those that stand at the side of the front page, each at its time. */
    listOnFront: (): Promise<PickedList[]> => select().where('onFront', '=', true).orderBy('slug').execute(),

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
