import { mayActAs } from '../../domain/editor.ts'
import type { Stores } from '../../store/stores.ts'

/** What the desk is told by mail; the texts are in the locales under `mail.notices`. */
export interface Notice {
  kind: string
  values: Record<string, string | number>
  /** On the desk: where one can act on it. */
  url: string
  /** The same thing is told once. */
  subject: string
}

/** Writes to everyone who may act on it. Ring `deliver-mail` after the commit. */
export async function tellDesk(stores: Stores, notice: Notice): Promise<void> {
  const editors = await stores.editors.list()
  for (const editor of editors.filter(({ role }) => mayActAs(role, 'editor'))) {
    await stores.outbox.insert({
      kind: 'desk-notice',
      editorId: editor.id,
      language: editor.language,
      payload: { notice: notice.kind, values: notice.values, url: notice.url },
      dedupeKey: `notice:${notice.kind}:${notice.subject}:${editor.id}`,
    })
  }
}
