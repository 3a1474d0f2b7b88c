import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100
const sampleMs = 250

export interface Measurement {
  perSecond: number
  /** Milliseconds of CPU per message, by who spent them. */
  cpu: Record<string, number>
  /** Megabytes of the first process: the peak, and at eight moments from start to end. */
  peakRss: number
  rss: number[]
}

/** CPU and memory of processes, and the CPU of all PostgreSQL backends below `dataDir`, from now until stopped. */
export function watchProcesses(pids: Record<string, number>, dataDir?: string) {
  const startedAt = performance.now()
  const [first = 0] = Object.values(pids)
  const seen: Record<string, number> = {}
  // What has ended meanwhile spent what it was last seen to have spent.
  const ticksOf = (who: string, pid: number) => (seen[who] = Math.max(seen[who] ?? 0, sumTicks([pid])))
  const readNamed = () => Object.entries(pids).map(([who, pid]) => [who, ticksOf(who, pid)] as const)
  const read = (): Record<string, number> => ({
    ...Object.fromEntries(readNamed()),
    ...(dataDir !== undefined && { database: sumTicks(postgresPids(dataDir)) }),
  })
  const before = read()
  const rss = [rssOf(first)]
  const sampling = setInterval(() => {
    rss.push(rssOf(first))
    readNamed()
  }, sampleMs)
  return {
    stop(messages: number): Measurement {
      clearInterval(sampling)
      const seconds = (performance.now() - startedAt) / 1000
      const after = read()
      const spent = (who: string) => (after[who] ?? 0) - (before[who] ?? 0)
      return {
        perSecond: messages / seconds,
        cpu: Object.fromEntries(
          Object.keys(before).map((who) => [who, (spent(who) / ticksPerSecond / messages) * 1000]),
        ),
        peakRss: Math.max(...rss),
        rss: Array.from({ length: 8 }, (_, eighth) => rss[Math.floor((rss.length - 1) * (eighth / 7))] ?? 0),
      }
    },
  }
}

function rssOf(pid: number): number {
  try {
    const [, kb = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kb) / 1000
  } catch {
    return 0
  }
}

/** User and system time, with that of children that have ended. */
function sumTicks(pids: number[]): number {
  let sum = 0
  for (const pid of pids) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      sum += fields.slice(11, 15).reduce((total, field) => total + Number(field), 0)
    } catch {
      // It has ended meanwhile; its parent counts it.
    }
  }
  return sum
}

function postgresPids(dataDir: string): number[] {
  const pidFile = spawnSync('find', [dataDir, '-name', 'postmaster.pid']).stdout.toString().trim()
  const parent = pidFile === '' ? 0 : Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1] === String(parent)
      } catch {
        return false
      }
    })
  return [parent, ...children.map(Number)]
}
