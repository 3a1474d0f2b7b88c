import type { Stores } from '../../store/stores.ts'
import type { Hold } from '../../store/delivery/instance-guard.ts'
import type { Actor } from '../../domain/editor.ts'
import { judgeInstance, type Identity, type InstanceState } from '../../domain/restored-copy.ts'
import { conflict } from '../../errors.ts'
import type { Parts } from '../parts.ts'
import { ringForDigest } from './ring-digest.ts'

/**
 * Whether this database is the one that sends, judged under its lock; a copy is held by whoever finds it out first, and
 * what has started since is paused again.
 * @param act what an original is told
 */
export async function findOut(
  { database }: Pick<Parts, 'database'>,
  act: (tx: Stores, verdict: InstanceState, identity: Identity) => Promise<void> = () => Promise.resolve(),
): Promise<InstanceState> {
  // Outside the transaction, which would fail where this role may not read the identity.
  const identity = await database.stores.instanceGuard.getIdentity()
  return database.transaction(async (tx) => {
    const verdict = judgeInstance(identity, await tx.instanceGuard.claim())
    if (verdict === 'copy') await tx.instanceGuard.markHeld()
    else await act(tx, verdict, identity)
    return verdict
  })
}

/** The hold that a copy of the database puts on itself, and the person who lifts it. */
export function createRestoredCopyService({ database, doorbell }: Pick<Parts, 'database' | 'doorbell'>) {
  return {
    /** Undefined where mail may go out. Whoever asks first marks what is held: no worker need have run here. */
    findHold: async (): Promise<Hold | undefined> => {
      if (!(await database.stores.instanceGuard.isHeld()) || (await findOut({ database })) !== 'copy')
        return undefined
      return database.stores.instanceGuard.findHold()
    },

    /**
     * This database is the one that sends from now on. What went out after the copy was made is not in it, and will be
     * sent again.
     * @returns how many digests go on
     * @throws DomainError `not_held`
     */
    async confirm(actor: Actor): Promise<number> {
      const identity = await database.stores.instanceGuard.getIdentity()
      const digests = await database.transaction(async (stores) => {
        if (judgeInstance(identity, await stores.instanceGuard.claim()) !== 'copy') {
          throw conflict('not_held', 'Nothing is held: this database is the one that sends.')
        }
        // No worker may have marked the hold yet; without the mark, digests whose time is over would not wait for the desk.
        await stores.instanceGuard.markHeld()
        await stores.instanceGuard.put(identity)
        const released = await stores.instanceGuard.releaseDigests()
        await stores.audit.insert(actor, 'restore.confirmed', 'installation', { digests: released })
        return released
      })
      await doorbell.ring('deliver-mail', {})
      for (const digestId of await database.stores.runningDigests.listSending()) {
        await ringForDigest(doorbell, digestId)
      }
      return digests
    },
  }
}
