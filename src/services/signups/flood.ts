import { LRUCache } from 'lru-cache'
import type { Activation } from '../../domain/signups/activation.ts'
import { domainOf } from '../../domain/subscribers/address.ts'
import type { Stores } from '../../store/stores.ts'

/** Activation mails an hour that need no explanation; above, five times the week's mean is the measure. */
const unsuspicious = { site: 20_000, domain: 5_000, timesUsual: 5 }

/** The hour moves on, and other processes mail too. */
const recountMs = 60_000

interface Room {
  site: number
  domains: Map<string, number>
}

/** How many activation mails may still go out within the hour; what exceeds them waits undecided, nothing is lost. */
export function createFloodGate(activations: Pick<Stores['activations'], 'countMailed'>) {
  const roomFor = (floor: number, { lastHour, usual }: { lastHour: number; usual: number }) =>
    Math.max(floor, usual * unsuspicious.timesUsual) - lastHour

  const count = async (): Promise<Room> => {
    const { site, domains } = await activations.countMailed()
    return {
      site: roomFor(unsuspicious.site, site),
      domains: new Map(domains.map((one) => [one.domain, roomFor(unsuspicious.domain, one)])),
    }
  }

  const rooms = new LRUCache<'now', Room>({ max: 1, ttl: recountMs, fetchMethod: count })
  const getRoom = (options = {}): Promise<Room> => rooms.forceFetch('now', options)

  const heldIn = ({ site, domains }: Room): string[] | '*' =>
    site <= 0 ? '*' : [...domains].flatMap(([domain, left]) => (left <= 0 ? [domain] : []))

  return {
    /** Domains whose requests wait; all of them as `*`. */
    findHeld: async (): Promise<string[] | '*'> => heldIn(await getRoom()),

    /** Whoever waits is not kept for longer than the hour asks. */
    async recountWhereHeld(): Promise<void> {
      if (heldIn(await getRoom()).length > 0) await getRoom({ forceRefresh: true })
    },

    /** One more was mailed. Imports are paced by their own measure. */
    async take({ address = '', form }: Pick<Activation, 'address' | 'form'>): Promise<void> {
      if (form === 'import') return
      const room = await getRoom()
      const domain = domainOf(address)
      room.site -= 1
      room.domains.set(domain, (room.domains.get(domain) ?? unsuspicious.domain) - 1)
    },
  }
}
