import type { Doorbell } from '../../queue/enqueue.ts'

/** Jobs that one digest is rung with, so that as many workers can share it. */
const wakeUps = 8

/** @param turn rings in other slots: a worker that died may still hold the jobs of these */
export async function ringForDigest(doorbell: Doorbell, digestId: number, turn = 0): Promise<void> {
  const slots = Array.from({ length: wakeUps }, (_, n) => turn * wakeUps + n)
  await Promise.all(slots.map((slot) => doorbell.ring('deliver-digest', { digestId }, slot)))
}
