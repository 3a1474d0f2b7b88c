import { plainText } from '../plain-text.ts'
import { isOfWordpress } from './feed-identity.ts'
import type { FeedItem } from './feed-item.ts'
import type { ReadFeed } from './feed-reader.ts'

/** What WordPress shows in place of a text that needs a password. */
const passwordForm = /\bpost-password-form\b|\bname=["']?post_password\b/

/** What it writes before the title of such a post, in its languages. */
const prefixes =
  'Protected|Protégée?|محمية?|محمى|Защитена?|সংরক্ষিত|Zaštićeno|Protegit|پارێزراوه|Chráněno|Diogelwyd|Beskyttet|Geschützt|' +
  'Π[ρp][oο]στατευμένο|Protektita|Protegido|Kaitstud|Babestut?a|حفاظت شده|محافظت شده|رمزدار|Suojattu|Fo dhìon|Protexido|מוגן|' +
  'Védett|Diproteksi|Dilindungi|Protetto|保護中|Ditutupi|დაცული|잠긴 글|보호된 글|보호글|Apsaugota|Aizsargāts|Заштитено|ကာကွယ်ထားသည်။|' +
  'Beveiligd|Beschermd|Zabezpieczony|Chroniony|Parolat|Protejat|Защищено|Приватная|ආරක්ෂිත|Chránené(?: heslom)?|Zaščiteno|' +
  'I mbrojtur|Заштићено|Ditulakan|Lösenordsskyddad|Skyddad|Kingwa|பாதுகாக்கப்பட்டது|ป้องกัน|Korumalı|Parola Korumalı|قوغدالغان|' +
  'Захищено|محفوظ کیا ہوا|Bảo vệ|密码保护|受保护|受保護(?:的文章|的內容)?'
const protectedTitle = new RegExp(`^(?:${prefixes})[\\s\\p{Cf}]*[:：]`, 'iu')

/** What it says in place of a summary; many themes take the word before the title out. */
const noExcerpt = new RegExp(
  [
    'There is no excerpt because this is a protected post',
    'Il n.y (?:a )?pas d.extrait,? car .{4,20} protégé',
    'لا يوجد .{0,20}(?:مقتطف|مختصر).{0,40}محمي',
    'Es gibt keine Kurzfassung, da dies ein geschützter',
    'No hay extracto porque es una? ',
    'Non è disponibile alcun riassunto in quanto si tratta di un articolo protetto',
    'Não (?:há resumo por ser um post|existe excerto porque se trata de um artigo) protegido',
    'Er is geen (?:uittreksel|samenvatting) omdat dit bericht is beveiligd',
    'Burada alıntı yok çünkü bu yazı korumalı',
    'Цитаты нет, потому что запись защищена',
  ].join('|'),
  'iu',
)

/** A post that is shown to those alone who know its password. */
export function isProtected(item: FeedItem, feed: ReadFeed): boolean {
  const { title, html, summary } = item
  if (passwordForm.test(html) || passwordForm.test(summary)) return true
  const isSummary = html === '' && isOfWordpress(item, feed)
  return isSummary && (protectedTitle.test(plainText(title)) || noExcerpt.test(plainText(summary)))
}
