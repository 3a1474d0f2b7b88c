import type { Actor } from '../../domain/editor.ts'
import type { Stores } from '../../store/stores.ts'

/** False where there is none that is open. */
export async function withdrawInvitation(stores: Stores, id: number, actor: Actor): Promise<boolean> {
  const isWithdrawn = await stores.invitations.markWithdrawn(id)
  if (isWithdrawn) await stores.audit.insert(actor, 'invitation.withdrawn', `invitation:${id}`)
  return isWithdrawn
}
