import type { Stores } from '../../store/stores.ts'

/** An actor as people know them: an address, the name of a key or of a site. */
export async function whoIs({ editors, apiKeys, sources }: Stores, actor: string): Promise<string> {
  const [kind, id] = actor.split(':')
  if (kind === 'editor') return (await editors.findEmailEver(Number(id))) ?? actor
  if (kind === 'key') return (await apiKeys.findName(Number(id))) ?? actor
  if (kind === 'source') return (await sources.find(Number(id)))?.name ?? actor
  return actor
}
