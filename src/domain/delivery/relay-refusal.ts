import type { Diagnosis } from './diagnosis.ts'

/**
 * What the server that we hand our mail to says of our account with it, whoever the mail is for:
 * - `rate`: too fast, for a moment
 * - `account`: a quota, a plan, a sign-in, a sender it does not know; hours, or until somebody has acted
 */
export type RelayRefusal = 'rate' | 'account'

/** Groups of words, each read with the separators that servers put between them. */
const words = (...patterns: RegExp[]): RegExp =>
  new RegExp(patterns.map(({ source }) => source).join('|'), 'i')

const limit = /(?:quotas?|limits?|limitation|allowance|threshold|maximum|max\.?|rate)/.source
const passed = /(?:exceed|excess|reach|over\b|hit\b|spent|used up|d[ée]pass|atteint)/.source
const period =
  /(?:per[ -](?:minute|hour|day|month)|hourly|daily|monthly|(?:this|an?|\d{1,9}) (?:hour|day|month))/.source
const ours =
  /(?:send(?:ing|er)?|sent|submission|out(?:going|bound|mail)|relay|smtp|(?:e-?)?mails?|messages?|recipients?)/
    .source

const spent = words(
  // "exceeded the hourly limit of 20 messages", "Daily user sending limit exceeded", "Mail send limit exceeded"
  new RegExp(`${passed}\\w{0,20}[^.;]{0,40}\\b${period}\\b[^.;]{0,40}\\b${limit}`),
  new RegExp(`\\b${period}\\b[^.;]{0,40}\\b${limit}\\b[^.;]{0,60}${passed}`),
  new RegExp(`\\b${ours}\\b[^.;]{0,30}\\b(?:quotas?|limits?|allowance|threshold)\\b[^.;]{0,60}${passed}`),
  new RegExp(
    `${passed}\\w{0,20}[^.;]{0,30}\\b${ours}\\b[^.;]{0,20}\\b(?:quotas?|limits?|allowance|threshold)\\b`,
  ),
  // "has exceeded the max emails per hour (101/100) allowed", "200 mails per hour", "Number messages per hour exceeded"
  new RegExp(`${passed}\\w{0,20}[^.;]{0,40}\\b${ours}\\b[^.;]{0,30}\\b${period}`),
  new RegExp(`\\b${ours}\\b[^.;]{0,20}\\b${period}\\b[^.;]{0,20}${passed}`),
  /has exceeded the max (?:emails|defers)/,
  /exceeded[^.;]{0,40}(?:number of (?:e-?mails|messages|recipients)|what your plan allows)/,
  /you(?:r| have|'ve)[^.;]{0,30}(?:exceeded|reached)[^.;]{0,30}(?:message|mail|send\w{0,20}|hourly|daily|monthly|plan|out\w{1,20})[^.;]{0,10}(?:limit|quota)/,
  /submissionquota|policy rejection\W{1,3}(?:message count )?quota|sender address rejected: quota/,
  /(?:maximum|insufficient|no|not enough|out of|ran out of|run out of)[^.;]{0,20}\bcredits?\b|credits? (?:limit )?(?:exceeded|exhausted|expired)/,
  /too many (?:e-?mails?|mails?|messages?|recipients?)[^.;]{0,40}(?:sent from|received this hour|from (?:this|your) account|per hour|per day|this hour|today)/,
  /quota d.envois?|limites? d.envois?|trop (?:de messages|d.e-?mails|d.envois)|cr[ée]dits? (?:insuffisants?|[ée]puis[ée]s?)/,
)
const hurried = words(
  /maximum sending rate|(?:sending|mail|message|rate) (?:rate )?limit(?:ed| exceeded| reach)|(?:mail|message|sending) rate (?:exceeded|limit)/,
  /throttling failure|too many (?:concurrent|simultaneous)|concurrent connections? limit|too much mail from|peak smtp relay limit/,
  /too many (?:connections|messages|mails|e-?mails|recipients)|slow(?:ing)? down|limite de d[ée]bit/,
)
const stopped =
  /(?:suspend|paus|lock|block|disabled|deactivat|expir|delinquent|not (?:yet )?(?:been )?activ|pending approval|under review|bloqu|r[ée]sili)/
    .source
const unpaid = words(
  new RegExp(
    `\\b(?:your|votre|this smtp|(?:e-?mail )?send(?:ing|er)|customer|tenant)\\b[^.;]{0,30}\\b(?:account|compte|domain|plan|service|subscription|abonnement)\\b[^.;]{0,30}\\b${stopped}`,
  ),
  new RegExp(
    `\\b(?:sending|submission|out(?:going|bound)(?: e?-?mail)?|smtp (?:access|account|service))(?: (?:access|service|account|is|has|was|been|temporarily|from \\S{1,80})){0,6} ${stopped}`,
  ),
  /spam detected: account blocked|\bdomain [^ ]+ is (?:disabled|not allowed to send)|activate your (?:smtp )?account|business verification required/,
  /billing|payment (?:required|overdue)|unpaid|past due|impay[ée]|upgrade your (?:plan|account)|not included in your plan|trial (?:has )?(?:expired|ended)/,
  /sandbox (?:domain|subdomain|mode|account)|unusual sending activity|bad outbound sender|banned sender|traffic not accepted from this ip/,
  /tenant[^.;]{0,60}(?:exceeded|recipient rate limit)|blocked from sending|unregistered domain/,
)
const unverified = words(
  /(?:address|domain|sender|identity|expéditeur|exp[ée]dition)[^.;]{0,30}\b(?:not|isn.t|un|non)[ -]?(?:yet )?(?:been )?(?:verified|validated|confirmed|v[ée]rifi[ée]e?|valid[ée]e?)/,
  /unverified|verified sender|sender (?:identity|signature)|unauthenticated sender|sender verify failed/,
  /sendasdenied|permissions? to send as|not allowed to send (?:as|from|using)|(?:send|relay(?:ing)?)\w{0,20}[^.;]{0,30}\bdisallowed as/,
  /sender (?:address )?(?:is )?(?:rejected: )?(?:not (?:allowed|owned|authori[sz]ed|permitted|logged in)|unauthori[sz]ed)|from address (?:is )?not (?:allowed|verified|authori[sz]ed)/,
  /(?:not|isn.t) (?:permitted|authori[sz]ed|allowed) to (?:send|perform|relay|use this (?:server|relay))|may not send (?:mail|as)/,
  /exp[ée]diteur (?:non |pas |in)?(?:autoris|v[ée]rifi|refus|interdit)|pas (?:autoris[ée]e?s?|le droit) [àa] (?:envoyer|utiliser)/,
)
const unknownToIt = words(
  /authenticat(?:ion|e)[^.;]{0,30}(?:required|failed|failure|unsuccessful|invalid|credentials|first|denied|needed|disabled)|not authenticated|must (?:authenticate|login|log in)/,
  /(?:bad|invalid|wrong|incorrect) (?:username|user name|login|password|credentials|api key)|credentials? (?:invalid|rejected)|username and password not accepted|application-specific password/,
  /smtp ?client ?authentication is disabled|turn on smtp auth|authentification (?:requise|[ée]chou)|identifiants? (?:incorrects?|invalides?)|mot de passe (?:incorrect|invalide)/,
  /unauthori[sz]ed ip|\bip\b[^;]{0,60}\bnot (?:been )?(?:allowed|authori[sz]ed|permitted|white-?listed|recogni[sz]ed)|relay(?:ing)? (?:access )?(?:is )?(?:denied|disallowed|not (?:permitted|allowed)|prohibited)|unable to relay|mail relay denied/,
)

/** What is the person's or their domain's, in words that could be taken for ours. */
const theirs = words(
  /\b(?:mail ?box|inbox|maildir|bo[iî]te|storage|disk)\b[^.;]{0,40}(?:full|quota|limit|exceed|over|pleine?)|(?:full|quota|over)[^.;]{0,20}\b(?:mail ?box|inbox|bo[iî]te)\b/,
  /over ?quota|(?:recipient|user|destinataire)(?:'s|.s)? (?:account )?(?:is |has |a )?(?:over|exceeded|reached|full|d[ée]pass)/,
  /receiving (?:mail|e-?mails?|messages?)|trying to (?:contact|reach)|inactive recipient|marked as inactive/,
  /message (?:size|too)|size limit|too (?:large|big)|number of (?:hops|received)|too many hops|gr[ae]y-?list/,
  /\b(?:destinataire|recipient)\b[^.;]{0,30}\b(?:account|compte|blo(?:ck|qu))|(?:compte|account) (?:of|du) (?:the )?(?:recipient|destinataire)/,
  /unsolicited|spam(?:haus)?\b[^.;]{0,30}(?:detected|content|score|listed)|reputation/,
)
/** Stronger than a mailbox that is named beside it: some servers begin every refusal with the words of its code. */
const surelyOurs = words(
  /mail send limit|sending (?:limit|quota)|max emails per hour|received this hour|sent too many|account blocked/,
  new RegExp(`\\b${period}\\b[^.;]{0,20}\\b(?:sending|relay|smtp)`),
)

const accountStatus =
  /^5\.7\.(?:3|57|60|139|232|233|236|501|502|503|705|708|750)$|^5\.4\.5$|^5\.2\.252$|^5\.1\.8$/
const signInCodes: readonly (number | undefined)[] = [530, 534, 535, 538]

/**
 * Whether a refusal speaks of us, where its words tell. Nothing of it may be charged to the person that the mail was for.
 * In a report, which another server than ours may have caused, sign-in and relaying are the business of others.
 */
export function findRelayRefusal({ stage, code, status = '', text }: Diagnosis): RelayRefusal | undefined {
  const isReport = stage === 'report'
  if (!isReport && code !== undefined && signInCodes.includes(code)) return 'account'
  if (!isReport && accountStatus.test(status)) return 'account'
  if (theirs.test(text) && !surelyOurs.test(text)) return undefined
  // Of the mailbox, and of what a domain thinks of a message that is not signed.
  if (/^[45]\.(?:2\.2|7\.2[5-9]|7\.30)$/.test(status) && !surelyOurs.test(text)) return undefined
  if (hurried.test(text) && (code ?? 500) < 500 && !spent.test(text)) return isReport ? undefined : 'rate'
  if (spent.test(text) || unpaid.test(text) || unverified.test(text)) return 'account'
  return !isReport && (unknownToIt.test(text) || hurried.test(text)) ? 'account' : undefined
}
