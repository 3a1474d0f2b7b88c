import { mayActAs } from '../../domain/editor.ts'
import type { NoticeText } from '../../domain/notice.ts'
import type { Stores } from '../../store/stores.ts'

export interface Notice extends NoticeText {
  /** What it is about: of two notices about the same, the second is not written. */
  once: string
}

/** Writes to everyone who may act on it. Ring `deliver-mail` after the commit. */
export async function tellDesk(stores: Stores, { once, ...payload }: Notice): Promise<void> {
  const editors = await stores.editors.list()
  for (const editor of editors.filter(({ role }) => mayActAs(role, 'editor'))) {
    await stores.outbox.insert({
      kind: 'desk-notice',
      editorId: editor.id,
      language: editor.language,
      payload,
      dedupeKey: `notice:${payload.notice}:${once}:${editor.id}`,
    })
  }
}
