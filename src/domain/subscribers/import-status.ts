import type { EndedReason } from './subscription.ts'

/** What other systems, and we, call somebody's state; later ones are stricter. */
const kinds = ['active', 'pending', 'unsubscribed', 'blocked', 'bounced', 'complained'] as const
export type StatusKind = (typeof kinds)[number]

/** What a word of a status column becomes here, as reports say it. */
export const meaningOf = {
  active: 'active',
  pending: 'pending',
  unsubscribed: 'ended',
  blocked: 'suppressed',
  bounced: 'suppressed',
  complained: 'suppressed',
} as const satisfies Record<StatusKind, string>

/** What a row says of somebody: never more than its strictest column. */
export interface ImportStatus {
  state: 'active' | 'pending' | 'ended'
  /** Where a subscription that has ended is to be kept. */
  endedReason: EndedReason | undefined
  suppression: 'manual' | 'bounced' | 'complained' | undefined
}

/** Letters and digits of a header or word, whatever its case, accents, signs and spaces. */
export const plainWord = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\u0640]/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

const listed = (text: string): string[] => text.split(/[|\n]/).map(plainWord).filter(Boolean)

/** In English, French, Arabic, Spanish and German; the single letters are of The Newsletter Plugin. */
const words = new Map<string, StatusKind>(
  Object.entries({
    active: `active|subscribed|subscriber|enabled|confirmed|opt-in|opted in|c
      abonné|abonnée|actif|inscrit|inscrite|confirmé|confirmée|activé|activée
      نشط|نشطة|مشترك|مشتركة|مؤكد|مفعل|مفعّل|فعال
      activo|activa|suscrito|suscrita|suscriptor|confirmado|confirmada
      aktiv|abonniert|angemeldet|bestätigt|abonnent`,
    pending: `pending|unconfirmed|not confirmed|unactivated|unverified|awaiting confirmation|s
      en attente|non confirmé|non confirmée|à confirmer|en attente de confirmation
      قيد الانتظار|معلق|غير مؤكد|بانتظار التأكيد|في انتظار التأكيد|لم يؤكد
      pendiente|sin confirmar|no confirmado|no confirmada|pendiente de confirmación
      ausstehend|unbestätigt|nicht bestätigt|wartend`,
    unsubscribed: `ended|unsubscribed|unsubscribe|opted out|opt-out|left|cancelled|canceled|removed|deleted|inactive|disabled
      archived|not subscribed|non-subscribed|nonsubscribed|never subscribed|transactional|unsub|u
      désabonné|désabonnée|désinscrit|désinscrite|résilié|inactif|désactivé|désactivée|supprimé|non abonné|non inscrit|parti
      ملغى|ملغي|ألغى الاشتراك|ملغى الاشتراك|إلغاء الاشتراك|غير مشترك|غير نشط|منتهي|معطل|محذوف
      baja|dado de baja|dada de baja|de baja|cancelado|cancelada|no suscrito|no suscrita|desuscrito|inactivo|eliminado|desactivado
      abgemeldet|gekündigt|inaktiv|deaktiviert|nicht abonniert|abbestellt|gelöscht|ausgetragen`,
    blocked: `suppressed|blocked|blocklisted|blacklisted|banned|excluded|manual|do not mail|do not contact
      bloqué|bloquée|liste noire|sur liste noire|banni|exclu|supprimé définitivement
      محظور|محجوب|القائمة السوداء|ممنوع
      bloqueado|bloqueada|lista negra|excluido|suprimido
      blockiert|gesperrt|schwarze liste|unterdrückt`,
    bounced: `bounced|bounce|hard bounce|hard bounced|soft bounced|cleaned|invalid|undeliverable|undelivered|hardbounced|b
      rebond|rebondi|rejeté|rejetée|nettoyé|nettoyée|invalide|retourné|retournée|non distribué|en erreur|erreur
      مرتد|مرتدة|مرتجع|غير صالح|تعذر التسليم|منظف
      rebotado|rebotada|rebote|limpiado|limpiada|inválido|inválida|devuelto|no entregable
      zurückgewiesen|unzustellbar|bereinigt|ungültig|zurückgekommen|gebounct|gebounced`,
    complained: `complained|complaint|spam|spam complaint|marked as spam|reported as spam|abuse|reported|p
      plainte|plaignant|signalé comme spam|marqué comme spam|spam signalé|indésirable
      شكوى|مشتكي|بريد مزعج|اشتكى|أبلغ عن بريد مزعج
      queja|denuncia|marcado como spam|correo no deseado
      beschwerde|spam gemeldet|als spam markiert|spambeschwerde`,
  } satisfies Record<StatusKind, string>).flatMap(([kind, text]) =>
    listed(text).map((word) => [word, kind as StatusKind] as const),
  ),
)

const statusHeaders = new Set(
  listed(`status|subscription status|list status|global status|subscriber status|email status|member status|mail status|subscription state
    statut|état|statut de l'abonnement|statut d'abonnement|statut global|statut de la liste|état de la liste|état de l'abonnement|état global|statut d'inscription
    الحالة|حالة|حالة الاشتراك|حالة المشترك|حالة القائمة|الحالة العامة
    estado de la lista|estado global|estado de la suscripción|estado de suscripción|estado del suscriptor|estatus
    listenstatus|status der liste|globaler status|abo-status|abonnementstatus|abostatus|anmeldestatus`),
)
/** Of our own export; elsewhere, beside a town, a part of a country. */
const stateHeaders = new Set(listed('state|estado|zustand'))
const placeHeaders = listed(
  'city|town|zip|zip code|postcode|postal code|country|address|ville|pays|ciudad|país|stadt|land|مدينة|بلد',
)

/** Columns of yes and no: what a yes says, and what a no. */
const flags = new Map<string, { yes?: StatusKind; no?: StatusKind }>(
  [
    {
      names:
        'subscribed_to_emails|subscribed|is subscribed|email opt in|opt in|enabled|active|is active|abonné|inscrit',
      no: 'unsubscribed',
    },
    { names: 'confirmed|is confirmed|confirmé', no: 'pending' },
    {
      names:
        'unsubscribed|is unsubscribed|opted out|opt out|email opt out|optout|email_disabled|désabonné|désinscrit|deleted',
      yes: 'unsubscribed',
    },
    {
      names:
        'suppressed|email_suppressed|blocked|blocklisted|blacklisted|email blacklisted|is blacklisted|banned',
      yes: 'blocked',
    },
    { names: 'bounced|hard bounced|is bounced|cleaned', yes: 'bounced' },
    { names: 'complained|marked as spam', yes: 'complained' },
    {
      names: `unsub_time|unsubscribed_at|unsubscribed date|unsubscribe date|unsubscription_date|date unsubscribed|opt-out date|optout date
        deleted_at|date de désinscription|date de désabonnement|fecha de baja|abmeldedatum|تاريخ إلغاء الاشتراك`,
      yes: 'unsubscribed',
    },
    { names: 'clean_time|cleaned_at|bounced_at|bounce date', yes: 'bounced' },
    { names: 'complained_at', yes: 'complained' },
  ].flatMap(({ names, ...says }) =>
    listed(names).map((name) => [name, says as { yes?: StatusKind; no?: StatusKind }] as const),
  ),
)
const yesWords = new Set(listed('true|t|yes|y|1|x|oui|vrai|نعم|sí|verdadero|ja|wahr'))
const noWords = new Set(listed('false|f|no|n|0|non|faux|لا|falso|nein|falsch|null|never|jamais'))

/** Mailchimp's two files of who is not to be written to: the file is the status, and the column is in no other. */
const fileColumns = listed('unsub_time|clean_time')

export interface StatusColumn {
  index: number
  /** As the file has it. */
  name: string
  kind: 'word' | 'flag' | 'file' | 'reason'
}

/** The columns of a header that tell who may be written to. */
export function findStatusColumns(header: readonly string[]): StatusColumn[] {
  const plain = header.map(plainWord)
  const hasPlaces = plain.some((name) => placeHeaders.includes(name))
  const isFile = fileColumns.filter((name) => plain.includes(name)).length === 1
  return plain.flatMap((name, index): StatusColumn[] => {
    const column = { index, name: header[index] ?? '' }
    if (name === 'state reason') return [{ ...column, kind: 'reason' }]
    if (statusHeaders.has(name) || (stateHeaders.has(name) && !hasPlaces))
      return [{ ...column, kind: 'word' }]
    if (isFile && fileColumns.includes(name)) return [{ ...column, kind: 'file' }]
    return flags.has(name) ? [{ ...column, kind: 'flag' }] : []
  })
}

const ownReasons: readonly string[] = [
  'unsubscribed',
  'bounced',
  'complained',
  'expired',
  'refused',
] satisfies EndedReason[]

export type ReadStatus =
  | { status: ImportStatus; said: { column: string; word: string; means: StatusKind }[] }
  | { fault: 'status_unknown' | 'status_missing' | 'reason_unknown'; column: string; word: string }

/** The strictest of what a row's columns say; active where they say nothing. */
export function readStatus(columns: readonly StatusColumn[], cells: readonly string[]): ReadStatus {
  const said: { column: string; word: string; means: StatusKind }[] = []
  let reason = ''
  for (const { index, name, kind } of columns) {
    const word = cells[index]?.trim() ?? ''
    if (kind === 'reason') {
      if (word !== '' && !ownReasons.includes(word)) return { fault: 'reason_unknown', column: name, word }
      reason = word
      continue
    }
    if (word === '' && kind === 'file') return { fault: 'status_missing', column: name, word }
    const means = word === '' ? 'nothing' : meaning(kind, plainWord(name), word)
    if (means === undefined) return { fault: 'status_unknown', column: name, word }
    if (means !== 'nothing') said.push({ column: name, word: kind === 'word' ? word : '', means })
  }
  return { status: statusOf(new Set(said.map(({ means }) => means)), reason), said }
}

/** `Abonné(e)`, `désinscrit·e`. */
const ofBoth = /[(·•.-]e\)?s?$/i

function meaning(kind: StatusColumn['kind'], name: string, text: string): StatusKind | 'nothing' | undefined {
  const word = plainWord(text)
  if (kind === 'word') return words.get(word) ?? words.get(plainWord(text.replace(ofBoth, '')))
  const says = flags.get(name) ?? {}
  if (noWords.has(word) || /^0000-00-00/.test(text)) return says.no ?? 'nothing'
  // A date is a yes, and how long ago does not matter.
  if (yesWords.has(word) || /\d{4}|\d[/.-]\d/.test(text)) return says.yes ?? 'nothing'
  return words.get(word)
}

function statusOf(said: Set<StatusKind>, reason: string): ImportStatus {
  const suppressing = kinds.slice(kinds.indexOf('blocked')).findLast((kind) => said.has(kind))
  const ended = said.has('unsubscribed') ? ((reason || 'unsubscribed') as EndedReason) : undefined
  return {
    state: suppressing || ended ? 'ended' : said.has('pending') ? 'pending' : 'active',
    endedReason: ended,
    suppression: suppressing === 'blocked' ? 'manual' : (suppressing as ImportStatus['suppression']),
  }
}
