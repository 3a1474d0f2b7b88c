import type { Actor } from '../../domain/editor.ts'
import type { Publication } from '../../domain/publication.ts'
import { conflict, notFound } from '../../errors.ts'
import type { Sample } from '../../store/desk/sample.ts'
import { ringForChange } from '../articles/public-change.ts'
import type { Parts } from '../parts.ts'

/** What the invented newspaper says of itself, as an installation without it begins. */
const blankTexts: Partial<Publication> = {
  name: 'Dépêche',
  description: '',
  deskName: 'La rédaction',
  postalAddress: null,
  contactEmail: null,
}

/** The sample newsroom of `npm start`, and how a newsroom of one's own takes its place. */
export function createSampleService({ database, doorbell }: Pick<Parts, 'database' | 'doorbell'>) {
  const { sample } = database.stores

  /** How much of it is here, and whether it may go; undefined where nothing is. */
  const find = async () => {
    const found = await sample.find()
    return found && toShape(found, !(await sample.hasSent()))
  }
  return {
    find,

    /** @throws DomainError `no_sample` */
    get: async () => required(await find()),

    /**
     * Removes whatever is invented, with who signed up to it; people of the desk, keys, settings that somebody has
     * changed, and articles and newsletters of one's own stay.
     * @throws DomainError `no_sample`, `sample_mailed` once a server has taken our mail, `sample_sending`
     */
    async remove(actor: Actor): Promise<void> {
      await database.transaction(async (stores) => {
        await stores.publication.lock()
        const found = required(await stores.sample.find())
        if (await stores.sample.hasSent()) throw wasMailed()
        if (await stores.sample.isSending(found.digests)) throw isSending()
        await stores.sample.delete(found)
        const own = await stores.sample.listOwnSettings()
        const blank = Object.fromEntries(Object.entries(blankTexts).filter(([name]) => !own.includes(name)))
        await stores.publication.update({ ...(await stores.publication.get()), ...blank })
        await stores.feedDocuments.markDirty([{ subject: '*' }])
        const { articles, newsletters, subscribers } = toShape(found, true)
        const names = newsletters.map(({ name }) => name).join(', ')
        await stores.audit.insert(actor, 'sample.removed', '', { articles, newsletters: names, subscribers })
      })
      await ringForChange(doorbell)
    },
  }
}

const toShape = ({ articles, newsletters, people }: Sample, removable: boolean) => ({
  articles: articles.length,
  newsletters: newsletters.map(({ name, language }) => ({ name, language })),
  subscribers: people,
  removable,
})

function required<T>(sample: T | undefined): T {
  if (sample !== undefined) return sample
  throw notFound('no_sample', 'There is no sample newsroom here.')
}

const wasMailed = () =>
  conflict(
    'sample_mailed',
    'A server other than the mail catcher has taken mail from here: the sample is not removed at once any more.',
  )

const isSending = () =>
  conflict('sample_sending', 'A digest of the sample is being sent: wait until it has ended, or cancel it.')
