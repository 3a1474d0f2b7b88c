import type { Diagnosis } from '../../domain/delivery/diagnosis.ts'
import { encodedText } from './mime.ts'
import {
  answerAt,
  findReply,
  forRecord,
  longestAnswer,
  stageOf,
  statusIn,
  withoutControls,
  withoutCopy,
} from './report-text.ts'

/** One recipient that a delivery report speaks of. */
export interface RecipientReport {
  /** Original and final recipient, in lower case; empty where the report hides them. */
  addresses: string[]
  /** The report says of nobody else what became of the mail. */
  isAlone: boolean
  diagnosis: Diagnosis
}

const longestField = 2_000
const mostRecipients = 100

/**
 * Reads the fields of RFC 3464, as servers write them: with comments, without the block about the message or the empty
 * line before a recipient, with words of their own for a failure.
 * @param text what the report says to people; the only place where some name the reason
 */
export function readDeliveryReport(fields: string, text: string) {
  const { message, recipients } = readGroups(fields)
  const stage = stageOf(text)
  const isAlone = recipients.filter(({ action }) => action !== undefined).length < 2
  /** Of the recipients whom the mail did not reach. */
  const failed = recipients
    .filter(isFailure)
    .map((recipient) => readRecipient(recipient, { text, stage, isAlone }))
  // The ENVID that we gave the mail, where the report repeats it.
  return { envelopeId: message['original-envelope-id'] ?? '', failed }
}

type Fields = Record<string, string>

const ofRecipients = new Set(['original-recipient', 'final-recipient', 'action', 'status', 'diagnostic-code'])
const noFields = (): Fields => Object.create(null) as Fields

function readGroups(text: string): { message: Fields; recipients: Fields[] } {
  const message = noFields()
  const recipients: Fields[] = []
  for (const [name, value] of readFields(text)) {
    const current = recipients.at(-1)
    if (ofRecipients.has(name) && (current === undefined || isNextRecipient(current, name))) {
      if (recipients.length === mostRecipients) break
      recipients.push(Object.assign(noFields(), { [name]: value }))
    } else (current ?? message)[name] ??= value
  }
  return { message, recipients }
}

/** A recipient begins with an address or, of a few servers, with the action; a name that is there twice is another's. */
function isNextRecipient(current: Fields, name: string): boolean {
  if (name !== 'action' && !name.endsWith('-recipient')) return false
  const [first] = Object.keys(current)
  return name in current || ('action' in current && first !== 'action' && name !== 'action')
}

/** Fields in their order, unfolded, whatever empty lines are between them. */
export function readFields(text: string): [name: string, value: string][] {
  const fields: [string, string][] = []
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^([A-Za-z][\w-]{0,60})[ \t]{0,9}:(.*)$/.exec(line) ?? []
    const last = fields.at(-1)
    if (name !== undefined) fields.push([name.toLowerCase(), value.slice(0, longestField).trim()])
    // Some break the server's answer into lines without the indentation that would make them one field.
    else if (last && line.trim() !== '' && last[1].length < longestField) {
      last[1] = `${last[1]} ${line.slice(0, longestField).trim()}`
    }
  }
  return fields
}

/** The `smtp;` before an answer, the `rfc822;` before an address. */
const withoutType = (value: string): string => value.replace(/^\s{0,9}[\w-]{1,40}[ \t]{0,9};\s*/, '')

const failures = /^(fail|failed|failure|error|expired|undeliverable|bounced)\b/i

function isFailure({ action, status = '', 'diagnostic-code': answer = '' }: Fields): boolean {
  if (action !== undefined) return failures.test(action)
  return /^\s*5\./.test(status) || (status === '' && (findReply(withoutType(answer)).code ?? 0) >= 500)
}

interface Surroundings {
  text: string
  stage: Diagnosis['stage']
  isAlone: boolean
}

/** Codes that a reporter writes for want of a better one. */
const isVague = (status: string | undefined): boolean =>
  status === undefined || status.endsWith('.0') || status === '5.7.1'

function readRecipient(fields: Fields, { text, stage, isAlone }: Surroundings): RecipientReport {
  const addresses = ['original-recipient', 'final-recipient'].flatMap((name) => addressIn(fields[name] ?? ''))
  const given = withoutType(encodedText(fields['diagnostic-code'] ?? ''))
  const reported = statusIn(fields['status'] ?? '')
  const answer = given === '' ? answerIn(text, addresses, isAlone && isVague(reported)) : given
  const { code, status: quoted, at } = findReply(answer)
  const reply = code === undefined ? answer : answer.slice(at)
  const expired = /^expired/i.test(fields['action'] ?? '') ? 'message expired; ' : ''
  return {
    addresses,
    isAlone,
    diagnosis: {
      stage,
      code,
      status: statusOf(quoted, reported, code),
      text: forRecord(`${expired}${reply}`, longestAnswer),
    },
  }
}

/** The server that refused knows more than the one that reports it, unless it said nothing in particular. */
function statusOf(quoted: string | undefined, reported: string | undefined, code: number | undefined) {
  if (quoted !== undefined && !quoted.endsWith('.0.0')) return quoted
  const isOfTheReply = code === undefined || reported?.startsWith(String(code).slice(0, 1))
  // A failure that nobody explains is one for good.
  return (isOfTheReply ? reported : undefined) ?? quoted ?? (code === undefined ? '5.0.0' : undefined)
}

function addressIn(field: string): string[] {
  const address = withoutType(field)
    .trim()
    .toLowerCase()
    .replace(/^<([^>]*)>.*$/, '$1')
  return address === '' ? [] : [withoutControls(address).slice(0, 320)]
}

/** Where nothing but the text says why: the reply beside the address, or all that is said of the only recipient. */
function answerIn(text: string, addresses: string[], isAllOfThem: boolean): string {
  const said = withoutCopy(text)
  for (const line of said.split('\n')) {
    const isOfThem = addresses.some((address) => line.toLowerCase().includes(address))
    const reply = isOfThem ? findReply(line) : undefined
    if (reply?.code !== undefined) return answerAt(said, said.indexOf(line) + reply.at, reply.code)
  }
  const { at, code } = findReply(said)
  if (!isAllOfThem) return ''
  return at < 0 ? said.slice(0, longestField) : answerAt(said, at, code)
}
