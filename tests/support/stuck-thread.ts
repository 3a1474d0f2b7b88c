import { parentPort } from 'node:worker_threads'

/** Reads what a mail's envelope is addressed to, or does as it says: never ends, or takes all memory. */
parentPort?.on('message', ({ envelope }: { envelope: { to: string } }) => {
  const hoard: unknown[] = []
  while (envelope.to === 'never@ends') hoard.length = 0
  while (envelope.to === 'takes@all') hoard.push(new Array(1_000_000).fill(0.5))
  if (envelope.to === 'is@broken') throw new Error('broken')
  parentPort?.postMessage({ kind: 'ignored', why: 'not_a_report' })
})
