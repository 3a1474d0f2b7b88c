import { unclosedFault } from '../notes.ts'
import type { WxrItem } from './wxr.ts'

/** Why an item is not an article of ours. */
export type LeftOutReason =
  | 'page'
  | 'attachment'
  | 'menu item'
  | 'other type'
  | 'private'
  | 'password'
  | 'trash'
  | 'other state'
  | 'language'
  | 'scheduled'

const types: Record<string, LeftOutReason> = {
  page: 'page',
  attachment: 'attachment',
  nav_menu_item: 'menu item',
}
const statesLeftOut: Record<string, LeftOutReason> = {
  private: 'private',
  trash: 'trash',
  'auto-draft': 'other state',
  inherit: 'other state',
}

/** Undefined for a post that becomes an article. */
export function leftOutReason({ fields }: WxrItem): LeftOutReason | undefined {
  const type = fields.type ?? 'post'
  if (type !== 'post') return types[type] ?? 'other type'
  if ((fields.password ?? '') !== '') return 'password'
  return statesLeftOut[fields.status ?? '']
}

/** Undefined for what may be imported; else a sentence. */
export function faultOf({ fields, tooLong }: WxrItem): string | undefined {
  if (tooLong !== undefined) {
    return `${tooLong}: more than 4 million characters, or 16 million in all, is no post`
  }
  const isBare = fields.type === undefined && (fields.content ?? '').trim() === ''
  if (isBare) return 'it has neither a type nor a text; WordPress would refuse it, too'
  return unclosedFault(Object.values(fields))
}
