import type { Activation } from '../domain/activation.ts'
import type { Stores } from '../store/stores.ts'

/** Activation mails an hour that need no explanation; above, five times the week's mean is the measure. */
const unsuspicious = { site: 20_000, domain: 5_000, timesUsual: 5 }

/** The hour moves on while requests keep coming. */
const recountMs = 60_000

interface Room {
  site: number
  domains: Map<string, number>
}

export type FloodGate = ReturnType<typeof createFloodGate>

/** How many activation mails may still go out within the hour; what exceeds them waits undecided, nothing is lost. */
export function createFloodGate(activations: Pick<Stores['activations'], 'countMailed'>) {
  let countedAt = -Infinity
  let counting: Promise<Room> | undefined

  const roomFor = (floor: number, { lastHour, usual }: { lastHour: number; usual: number }) =>
    Math.max(floor, usual * unsuspicious.timesUsual) - lastHour

  const count = async (): Promise<Room> => {
    const { site, domains } = await activations.countMailed()
    return {
      site: roomFor(unsuspicious.site, site),
      domains: new Map(domains.map((one) => [one.domain, roomFor(unsuspicious.domain, one)])),
    }
  }

  const getRoom = (): Promise<Room> => {
    if (counting === undefined || performance.now() - countedAt > recountMs) {
      countedAt = performance.now()
      counting = count()
    }
    return counting
  }

  return {
    /** Domains whose requests wait; all of them as `*`. */
    async findHeld(): Promise<string[] | '*'> {
      const room = await getRoom()
      if (room.site <= 0) return '*'
      return [...room.domains].flatMap(([domain, left]) => (left <= 0 ? [domain] : []))
    },

    /** One more was mailed. Imports are paced by their own measure. */
    async take({ address = '', form }: Pick<Activation, 'address' | 'form'>): Promise<void> {
      if (form === 'import') return
      const room = await getRoom()
      const domain = address.slice(address.lastIndexOf('@') + 1)
      room.site -= 1
      room.domains.set(domain, (room.domains.get(domain) ?? unsuspicious.domain) - 1)
    },
  }
}
