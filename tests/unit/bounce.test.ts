import { expect, test } from 'vitest'
import { classifyBounce, diagnosisOf, type BounceClass } from '../../src/domain/deliverability/bounce.ts'
import { scoreBounce, type ScoredBounce } from '../../src/domain/deliverability/suppression.ts'
import type { Diagnosis } from '../../src/domain/delivery/diagnosis.ts'
import { refusedBy } from '../../src/mail/smtp/server-answer.ts'

const rows: [Diagnosis['stage'], number | undefined, string | undefined, string, BounceClass][] = [
  ['rcpt', 550, '5.1.1', 'no such user', 'dead'],
  ['report', 550, '5.1.1', 'User unknown', 'dead'],
  ['report', undefined, '5.1.10', 'null MX', 'dead'],
  ['rcpt', 550, '5.7.17', 'owner changed', 'dead'],
  ['rcpt', 550, undefined, 'User unknown', 'dead'],
  ['rcpt', 553, undefined, 'sorry, no mailbox here by that name does not exist', 'dead'],
  ['rcpt', 551, undefined, 'invalid recipient', 'dead'],
  ['rcpt', 550, undefined, 'صندوق البريد غير موجود', 'dead'],
  ['rcpt', 550, undefined, 'Cette adresse n’existe plus', 'dead'],
  ['rcpt', 550, undefined, 'no', 'doubtful'],
  ['rcpt', 550, '5.1.0', 'address rejected', 'doubtful'],
  ['report', 550, '5.4.4', 'host not found', 'doubtful'],
  ['rcpt', 550, '5.7.13', 'account disabled', 'doubtful'],
  ['rcpt', 452, '4.2.2', 'over quota', 'full'],
  ['report', 552, '5.2.2', 'mailbox full', 'full'],
  ['rcpt', 552, undefined, 'Mailbox is full', 'full'],
  ['rcpt', 452, '4.3.1', 'insufficient storage', 'full'],
  ['rcpt', 450, '4.2.0', 'greylisted', 'transient'],
  ['report', 421, '4.4.7', 'message expired', 'transient'],
  ['data', 421, undefined, 'closing', 'transient'],
  ['connect', undefined, undefined, 'ETIMEDOUT', 'transient'],
  ['rcpt', 550, '5.7.1', 'access denied', 'policy'],
  ['data', 550, '5.7.26', 'unauthenticated', 'policy'],
  ['data', 550, '5.7.515', 'does not meet the required authentication level', 'policy'],
  ['connect', 554, undefined, 'no SMTP service here', 'policy'],
  ['data', 554, undefined, 'message rejected', 'policy'],
  ['data', 554, undefined, 'User unknown to our filter', 'policy'],
  ['data', 550, '5.0.0', 'Unknown user', 'dead'],
  ['data', 554, undefined, 'This account has been disabled or discontinued', 'doubtful'],
  ['rcpt', 550, undefined, 'blocked using zen.spamhaus.example', 'policy'],
  ['rcpt', 550, undefined, 'user unknown; your host is on a blocklist', 'policy'],
  ['data', 552, '5.2.3', 'message too long', 'content'],
  ['report', 552, '5.3.4', 'message too big', 'content'],
  ['data', 554, '5.6.0', 'bad content', 'content'],
  ['rcpt', 550, '5.1.7', 'bad sender', 'sender'],
  ['mail', 550, '5.1.8', 'sender domain not found', 'sender'],
  ['mail', 550, '5.1.1', 'user unknown', 'sender'],
  ['data', 503, '5.5.1', 'bad sequence', 'sender'],
  ['rcpt', 552, undefined, 'message size exceeds the limit', 'content'],
  ['rcpt', 450, '4.7.28', 'unusual rate', 'policy'],
  ['report', 550, '4.2.2', 'gave up', 'full'],
  ['report', 554, undefined, 'message rejected', 'policy'],
  ['report', 554, '5.0.0', 'message rejected', 'policy'],
  ['report', 554, '5.1.1', 'this is not spam', 'dead'],
  // Words that accuse us, or tell of a hindrance, beat a code that accuses the person.
  ['rcpt', 550, '5.1.1', 'blocked using a blocklist', 'policy'],
  ['report', 550, '5.1.1', 'too many recipients this hour', 'policy'],
  ['report', 550, '5.1.1', 'mailbox full', 'full'],
  ['report', 550, '5.1.1', 'message expired', 'transient'],
  ['report', 550, '5.1.1', 'DNS query failed', 'transient'],
  ['rcpt', 554, undefined, 'too many hops', 'transient'],
  ['report', 554, '5.4.6', 'Too many hops 26 (25 max)', 'transient'],
  ['rcpt', 550, undefined, 'تم رفض الرسالة: بريد مزعج', 'policy'],
  ['report', 550, '5.1.1', 'sender address rejected: user unknown', 'sender'],
  // Words that name the person tell what a code that is used for anything means.
  ...['5.5.0', '5.7.1', '5.0.0', '5.3.0'].flatMap((status) => [
    said(status, 'user unknown', 'dead'),
    said(status, 'mailbox unavailable', 'doubtful'),
    said(status, 'le compte est bloqué', 'doubtful'),
    said(status, 'mailbox over quota', 'full'),
  ]),
  said('5.7.0', 'maildir over quota', 'full'),
  // A code with a meaning of its own is believed, whatever else is said beside it.
  ...['5.1.1', '5.1.3', '5.1.6', '5.1.10', '5.7.17', '5.7.18'].map((status) => said(status, 'no', 'dead')),
  ...['5.1.0', '5.1.2', '5.1.4', '5.2.0', '5.2.1', '5.4.4', '5.7.13'].map((status) =>
    said(status, 'user unknown', 'doubtful'),
  ),
  ...['5.2.3', '5.3.4', '5.6.1'].map((status) => said(status, 'user unknown', 'content')),
  ...['5.1.7', '5.1.8', '5.5.4'].map((status) => said(status, 'user unknown', 'sender')),
  ...['5.7.0', '5.7.26', '5.7.27', '5.7.28', '5.7.29', '5.7.30'].map((status) =>
    said(status, 'user unknown', 'policy'),
  ),
]

function said(status: string, text: string, expected: BounceClass): (typeof rows)[number] {
  return ['report', undefined, status, text, expected]
}

test.each(rows)('BNC-1 at %s %s %s "%s" is %s', (...[stage, code, status, text, expected]) => {
  expect(classifyBounce({ stage, code, status, text })).toBe(expected)
})

const busy = 'Server busy. Please try again later from [192.0.2.1]. (AS843)'
const answers: [string, BounceClass][] = [
  [
    '450 4.2.0 Recipient address rejected: Greylisted, see https://postgrey.example/help/policy.html',
    'transient',
  ],
  ['450 4.7.1 Recipient address rejected: Greylisted for 5 minutes', 'transient'],
  ['451 4.7.1 Greylisting in action, please come back later', 'transient'],
  ['451 4.7.1 Greylisting in action, please come back in 00:05:00', 'transient'],
  ['451 4.7.1 Graylisted, low reputation', 'transient'],
  ['451 Greylisted, please try again in 180 seconds', 'transient'],
  ['451 4.7.1 Try again later', 'transient'],
  ['451 4.7.1 Service unavailable - try again later', 'transient'],
  ['451 4.7.0 Temporary server error. Please try again later. PRX2', 'transient'],
  [`451 4.7.500 ${busy}`, 'policy'],
  ['450 4.7.1 Service refuse. Veuillez essayer plus tard', 'transient'],
  ['451 Temporary failure, please try again later.', 'transient'],
  ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints', 'policy'],
  [
    '451 4.7.0 [TSS04] temporarily deferred due to unexpected volume or user complaints; try again later',
    'policy',
  ],
  ['421 4.7.28 Our system has detected an unusual rate of unsolicited mail. Try again later', 'policy'],
  ['421 4.7.26 Your email has been rate limited because it is unauthenticated. Try again later', 'policy'],
  ['451 4.7.650 The mail server has been temporarily rate limited due to IP reputation', 'policy'],
  ['451 4.7.550 Access denied, please try again later', 'policy'],
  ['450 4.7.1 Client host rejected: cannot find your reverse hostname, try again later', 'policy'],
  ['450 4.7.25 Client host rejected: cannot find your hostname', 'policy'],
  ['451 4.7.1 Your address is blocked, try again later', 'policy'],
  ['550 5.7.1 Greylisted too often, go away', 'policy'],
]

test.each(answers)('BNC-1 "%s" at RCPT and after DATA is %s', (answer, expected) => {
  const [, code, status, text = ''] = /^(\d+) (?:(\d\.\d\.\d+) )?(.*)$/.exec(answer) ?? []
  for (const stage of ['rcpt', 'data'] as const) {
    expect(classifyBounce({ stage, code: Number(code), status, text })).toBe(expected)
  }
})

const replies: [code: number, text: string, expected: BounceClass][] = [
  [552, '552-Sorry\n552 5.2.2 see above', 'full'],
  [550, '550-mx.reader.example\n550-5.2.1 (q7)\n550 closed for now', 'doubtful'],
  // An address of ours is no status.
  [550, '550 Connection from 5.1.1.25 refused', 'policy'],
  [450, '450 5.1.1.25 comes too early', 'transient'],
  // Whatever stands beside it, 4xx asks to come again.
  [451, '451 5.1.1 lookup of the user failed', 'transient'],
  [450, '450 5.7.1 Greylisted, come back later', 'transient'],
  [450, '450 5.7.1 too many complaints', 'policy'],
  [452, '452 5.2.2 see above', 'full'],
]

test.each(replies)('BNC-1 an answer of %i at RCPT, "%s", is %s', (code, text, expected) => {
  const refusal = refusedBy({ code, text }, 'rcpt', 'r@reader.example')
  expect(classifyBounce(diagnosisOf(refusal))).toBe(expected)
})

test('BNC-2 a refusal as 554, or by x.7.x, speaks of nobody: at any stage, seen or reported', () => {
  const refusals = [
    { code: 554, status: undefined, beforeRecipient: ['policy', 'sender'] },
    { code: 554, status: '5.0.0', beforeRecipient: ['policy', 'sender'] },
    { code: 550, status: '5.7.1', beforeRecipient: ['policy', 'policy'] },
    { code: undefined, status: '5.7.26', beforeRecipient: ['transient', 'transient'] },
  ]
  for (const { code, status, beforeRecipient } of refusals) {
    const classAt = (stage: Diagnosis['stage']) => classifyBounce({ stage, code, status, text: 'no' })
    expect([classAt('connect'), classAt('mail')], `${code} ${status}`).toEqual(beforeRecipient)
    for (const stage of ['rcpt', 'data', 'report'] as const)
      expect(classAt(stage), `${stage} ${code} ${status}`).toBe('policy')
  }
  const unknown = "delivery error: dd This user doesn't have a mail.example account (reader@mail.example)"
  expect(classifyBounce({ stage: 'report', code: 554, text: unknown })).toBe('dead')
  for (const text of ['blocked', 'listed as spam', 'DMARC', 'on our blocklist, user unknown'])
    expect(classifyBounce({ stage: 'rcpt', code: 550, text })).toBe('policy')
})

test('BNC-2 a policy refusal never scores, at any stage', () => {
  for (let n = 0; n < 50; n++) {
    const past = Array.from({ length: n }, () => ({ at: new Date(), class: 'policy' as const, points: 0 }))
    expect(scoreBounce({ class: 'policy', at: new Date() }, past)).toMatchObject({
      points: 0,
      isSuppressed: false,
    })
  }
})

test('BNC-3 a refusal before a recipient was named is never about a person', () => {
  const harmless: BounceClass[] = ['policy', 'sender', 'transient']
  for (const stage of ['connect', 'mail'] as const)
    for (const code of [421, 450, 550, 554])
      for (const status of ['5.1.1', '5.2.1', '5.7.1', '4.2.2', undefined])
        expect(harmless).toContain(classifyBounce({ stage, code, status, text: 'user unknown' }))
})

const start = new Date('2026-01-01T08:00:00Z').getTime()
const day = (n: number, hours = 0) => new Date(start + (n * 24 + hours) * 3_600_000)

/** Plays bounces one after another and tells when the person is suppressed. */
function play(bounces: [BounceClass, Date][], cleanAt?: Date): (number | 'suppressed')[] {
  const past: ScoredBounce[] = []
  return bounces.map(([bounceClass, at]) => {
    const { points, score, isSuppressed } = scoreBounce({ class: bounceClass, at }, past, cleanAt)
    past.push({ at, class: bounceClass, points })
    return isSuppressed ? 'suppressed' : score
  })
}

test('BNC-8 a dead address at once, a doubtful one at the second on another day', () => {
  expect(play([['dead', day(0)]])).toEqual(['suppressed'])
  expect(
    play([
      ['doubtful', day(0)],
      ['doubtful', day(0, 2)],
      ['doubtful', day(1)],
    ]),
  ).toEqual([1, 1, 'suppressed'])
})

test('BNC-8 a full mailbox costs half a point a day and is given up at five within sixty days', () => {
  const daily = Array.from({ length: 10 }, (_, n): [BounceClass, Date] => ['full', day(n)])
  expect(play(daily)).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 'suppressed'])
  expect(
    play([
      ['full', day(0)],
      ['full', day(0, 1)],
      ['full', day(0, 9)],
    ]),
  ).toEqual([0.5, 0.5, 0.5])
  const weekly = Array.from({ length: 20 }, (_, n): [BounceClass, Date] => ['full', day(n * 7)])
  expect(play(weekly)).not.toContain('suppressed')
})

test('BNC-8 a clean week makes the past count no more', () => {
  expect(
    play(
      [
        ['doubtful', day(0)],
        ['doubtful', day(20)],
      ],
      day(10),
    ),
  ).toEqual([1, 1])
})
