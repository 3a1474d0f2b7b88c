import { meaningsOf, phraseFinder, type Meaning } from '../../domain/deliverability/bounce-words.ts'
import type { RecipientReport } from './delivery-report.ts'
import { answerAt, findReply, forRecord, longestAnswer, stageOf, withoutCopy } from './report-text.ts'

/** Who returns mail, in the sender's name or address. */
const isDaemon = phraseFinder(`
  mailer daemon, mail daemon, daemon, postmaster, post master, mail delivery, mail deliver, mail system,
  mail administrator, delivery subsystem, delivery system, system administrator, administrator, mail admin,
  mailadmin, ndr, returned mail, automated, mailsystem, maildelivery`)

const isFailureSubject = phraseFinder(`
  undeliver, delivery failure, delivery failed, delivery has failed, delivery status, failure notice, failed delivery,
  mail failure, mail delivery, returned mail, returned message, returning message, non delivery, nondeliver,
  not delivered, could not be delivered, delivery problem, delivery error, delivery notification, bounce,
  mail system error, mail error, error sending, rejected mail, message rejected, unknown user, user unknown,
  non remis, non distribu, echec, erreur de distribution, avis de non, retour a l expediteur, unzustellbar,
  no se pudo entregar, no entregado, devuelto, mancata, fallita, nao entregue, falha na entrega, niet bezorg,
  недоставлен, не доставлен, تعذر تسليم, تعذر التسليم, لم يتم التسليم, فشل التسليم, 配信, エラー, 退信`)

/** What answers by itself, and not because a mail failed. */
const isOfVacation = phraseFinder(`
  out of office, out of the office, automatic reply, auto reply, autoreply, auto response, autoresponse, autorespons,
  vacation, on leave, away, absence, absent, reponse automatique, conges, abwesen, automatische antwort,
  respuesta automatica, fuera de la oficina, risposta automatica, resposta automatica, رد تلقائي, خارج المكتب,
  自動返信, 自动回复`)
const vacationFields = ['x-autoreply', 'x-autorespond', 'x-autoresponder', 'x-auto-reply', 'x-vacation']

const isPutOff = phraseFinder(`
  delay, delayed, will be retried, will continue, will keep trying, keep trying, still trying, will try again,
  will be attempted, will retry, do not need to resend, no need to resend, not need to do anything, warning message only,
  not yet been delivered, no action is required, still being retried, has not been delivered yet, sera retent,
  pas encore ete, wird erneut, weitere zustellversuche, reintent, لم يتم تسليمها بعد`)
/** What tells a report from what else a daemon's address writes: of a list, of tickets, a challenge. */
const isUndelivered = phraseFinder(`
  undeliver, fail, error, not deliver, not been deliver, not be deliver, unable to, cannot, could not, couldnt, no such,
  wasnt able, not able to, did not reach, didnt reach, return, bounce, reject, refus, given up, not sent,
  non remis, non distribu, pas pu, pas ete, impossible, echec, erreur, nicht, no se pudo, no pudo, devuelt, non e stato,
  nao pode, nao foi, не достав, недостав, не может, تعذر, لم يتم, فشل, 配信, エラー, 退信`)
const isDelivered = phraseFinder(`
  successfully delivered, has been delivered, was delivered to, been relayed, successfully relayed, bien ete remis`)

export interface PlainMail {
  subject: string
  from: string
  /** In lower case, by name. */
  headers: ReadonlyMap<string, string>
  text: string
}

export const isVacation = (subject: string, headers: PlainMail['headers']): boolean =>
  isOfVacation(subject) ||
  vacationFields.some((name) => headers.has(name)) ||
  /auto[_-]?reply/i.test(headers.get('precedence') ?? '')

/** Whether a mail that came without a sender says that it is a mail server's, and not a person's who is away. */
export function isReturned({ subject, from, headers }: PlainMail): boolean {
  if (isVacation(subject, headers)) return false
  if (isDaemon(from.replaceAll('@', ' '))) return true
  return !/^auto-replied/i.test(headers.get('auto-submitted') ?? '') && isFailureSubject(subject)
}

/** Meanings that say by themselves that a mail was refused for good, or given up. */
const telling: Meaning[] = [
  'nobody',
  'closed',
  'full',
  'no domain',
  'lookup failed',
  'expired',
  'loop',
  'reputation',
  'too large',
]

/**
 * Reads a report in the words of one server to another, or to people, without the fields of RFC 3464: qmail, Exim,
 * Yahoo, older Gmail and Exchange and many more. Undefined where it tells of no failure.
 */
export function readPlainReport({ text, subject }: PlainMail): RecipientReport | undefined {
  const said = withoutCopy(text)
  const { code, status, at } = findReply(said)
  const isFinal = (code ?? 0) >= 500 || status?.startsWith('5.') === true
  if (!isFinal && (isPutOff(`${subject} . ${said}`) || isDelivered(said))) return undefined
  const stage = stageOf(said)
  if (at >= 0) {
    const answer = forRecord(answerAt(said, at, code), longestAnswer)
    return { addresses: [], isAlone: true, diagnosis: { stage, code, status, text: answer } }
  }
  const answer = forRecord(`${subject}. ${said}`, longestAnswer)
  const meanings = meaningsOf(answer)
  if (!telling.some((meaning) => meanings.has(meaning)) || !isUndelivered(answer)) return undefined
  return {
    addresses: [],
    isAlone: true,
    diagnosis: { stage, code: undefined, status: '5.0.0', text: answer },
  }
}
