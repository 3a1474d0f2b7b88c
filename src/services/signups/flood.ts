import { LRUCache } from 'lru-cache'
import type { Activation } from '../../domain/signups/activation.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import { isMailboxProvider, organisationOf } from '../../domain/subscribers/organisation.ts'
import type { MailedCount } from '../../store/signups/activations.ts'
import type { Stores } from '../../store/stores.ts'

/**
 * Activation mails an hour that need no explanation; above, the measure is five times the week's mean, or five for each
 * that was answered. No client, and no /48, may ask for as many within the hour as a provider may get.
 */
const unsuspicious = { site: 20_000, provider: 5_000, organisation: 300, times: 5 }

const floorOf = (organisation: string) =>
  isMailboxProvider(organisation) ? unsuspicious.provider : unsuspicious.organisation

/** The hour moves on, and other processes mail too. */
const recountMs = 60_000

interface Room {
  site: number
  organisations: Map<string, number>
}

/** How many activation mails may still go out within the hour; what exceeds them waits undecided, nothing is lost. */
export function createFloodGate(activations: Pick<Stores['activations'], 'countMailed'>) {
  const roomFor = (floor: number, { lastHour, answered, usual }: MailedCount) =>
    Math.max(floor, usual * unsuspicious.times, answered * unsuspicious.times) - lastHour

  const count = async (): Promise<Room> => {
    const { site, domains } = await activations.countMailed()
    const organisations = Map.groupBy(domains, ({ domain }) => organisationOf(domain))
    return {
      site: roomFor(unsuspicious.site, site),
      organisations: new Map(
        [...organisations].map(([name, counts]) => [name, roomFor(floorOf(name), sumOf(counts))]),
      ),
    }
  }

  const rooms = new LRUCache<'now', Room>({ max: 1, ttl: recountMs, fetchMethod: count })
  const getRoom = (options = {}): Promise<Room> => rooms.forceFetch('now', options)

  const heldIn = ({ site, organisations }: Room): string[] | '*' =>
    site <= 0 ? '*' : [...organisations].flatMap(([name, left]) => (left <= 0 ? [name] : []))

  return {
    /** Organisations whose requests wait, under any name below theirs; all of them as `*`. */
    findHeld: async (): Promise<string[] | '*'> => heldIn(await getRoom()),

    /** Whoever waits is not kept for longer than the hour asks. */
    async recountWhereHeld(): Promise<void> {
      if (heldIn(await getRoom()).length > 0) await getRoom({ forceRefresh: true })
    },

    /** Those of these requests for which there is room, were all of them mailed. */
    async listFitting<Asked extends Pick<Activation, 'address' | 'form'>>(
      requests: Asked[],
    ): Promise<Asked[]> {
      const room = await getRoom()
      const asked = new Map<string, number>()
      let site = 0
      return requests.filter(({ address, form }) => {
        if (form === 'import') return true
        const name = organisationOf(domainOf(address ?? ''))
        const count = asked.get(name) ?? 0
        if (site >= room.site || count >= (room.organisations.get(name) ?? floorOf(name))) return false
        asked.set(name, count + 1)
        site += 1
        return true
      })
    },

    /** One more was mailed. Imports are paced by their own measure. */
    async take({ address, form }: Pick<Activation, 'address' | 'form'>): Promise<void> {
      if (form === 'import') return
      const room = await getRoom()
      const name = organisationOf(domainOf(address ?? ''))
      room.site -= 1
      room.organisations.set(name, (room.organisations.get(name) ?? floorOf(name)) - 1)
    },
  }
}

const sumOf = (counts: MailedCount[]): MailedCount =>
  counts.reduce((sum, { lastHour, answered, usual }) => ({
    lastHour: sum.lastHour + lastHour,
    answered: sum.answered + answered,
    usual: sum.usual + usual,
  }))
