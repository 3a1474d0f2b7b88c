import { judgeInstance, type Identity, type InstanceState } from '../../domain/instance.ts'
import type { Stores } from '../../store/stores.ts'
import type { Parts } from '../parts.ts'

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
