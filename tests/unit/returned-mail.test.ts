import { expect, test } from 'vitest'
import { classifyBounce, type BounceClass } from '../../src/domain/deliverability/bounce.ts'
import { sealReference } from '../../src/domain/delivery/mail-reference.ts'
import { readInbound } from '../../src/mail/inbound/inbound.ts'
import { keyring } from '../support/mail.ts'
import { aDeliveryReport, aReportOf, aPlainReport } from '../support/reports.ts'

const reference = { kind: 'digest', digestId: 42, subscriberId: 7 } as const
const verp = `b+${sealReference(keyring, 'bounce', reference)}@bounces.news.example.org`

/** What becomes of a mail that came back: its class, or why it was not read. */
async function outcomeOf(raw: Buffer, from = '', to = verp): Promise<string> {
  const mail = await readInbound(raw, { from, to }, keyring)
  if (mail.kind === 'ignored') return mail.why
  return mail.kind === 'bounce'
    ? mail.reports.map(({ diagnosis }) => classifyBounce(diagnosis, 'dsn')).join()
    : mail.kind
}

const answers: [server: string, status: string, answer: string, expected: BounceClass][] = [
  [
    'Gmail',
    '5.1.1',
    '550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking',
    'dead',
  ],
  ['Gmail', '5.2.1', '550-5.2.1 The email account that you tried to reach is inactive. gsmtp', 'doubtful'],
  [
    'Gmail',
    '5.2.1',
    '550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages',
    'transient',
  ],
  ['Gmail', '5.2.2', '552-5.2.2 The recipient’s inbox is out of storage space and inactive.', 'full'],
  [
    'Gmail',
    '5.7.26',
    '550-5.7.26 Unauthenticated email from news.example is not accepted due to domain DMARC policy',
    'policy',
  ],
  [
    'Gmail',
    '5.7.1',
    '550-5.7.1 Our system has detected that this message is likely unsolicited mail.',
    'policy',
  ],
  [
    'Gmail',
    '4.4.1',
    'The recipient server did not accept our requests to connect. [mx.reader.example 192.0.2.1: timed out]',
    'transient',
  ],
  [
    'Gmail',
    '5.1.2',
    "DNS Error: DNS type 'mx' lookup of reader.example responded with code NXDOMAIN Domain name not found",
    'doubtful',
  ],
  [
    'Gmail',
    '5.1.2',
    "DNS Error: DNS type 'mx' lookup of reader.example responded with code SERVFAIL",
    'transient',
  ],
  [
    'Microsoft 365',
    '5.1.10',
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    'dead',
  ],
  ['Microsoft 365', '5.1.1', '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found', 'dead'],
  [
    'Microsoft 365',
    '5.4.1',
    '550 5.4.1 Recipient address rejected: Access denied. [AM0EUR02FT001.eop-EUR02.prod]',
    'dead',
  ],
  [
    'Microsoft 365',
    '5.7.1',
    '550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy',
    'policy',
  ],
  [
    'Microsoft 365',
    '5.7.133',
    '550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required',
    'policy',
  ],
  ['Microsoft 365', '5.7.606', '550 5.7.606 Access denied, banned sending IP [192.0.2.9]', 'policy'],
  [
    'Microsoft 365',
    '5.7.509',
    '550 5.7.509 Access denied, sending domain news.example does not pass DMARC verification',
    'policy',
  ],
  [
    'Microsoft 365',
    '5.4.310',
    '550 5.4.310 DNS domain reader.example does not exist [Message=InfoDomainNonexistent]',
    'doubtful',
  ],
  ['Microsoft 365', '5.4.312', '550 5.4.312 Message expired, DNS query failed(ErrorRetry)', 'transient'],
  [
    'Microsoft 365',
    '5.4.300',
    '550 5.4.300 Message expired -> 451 4.7.0 Temporary server error',
    'transient',
  ],
  [
    'Microsoft 365',
    '5.2.2',
    '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException',
    'full',
  ],
  [
    'Microsoft 365',
    '5.2.122',
    '550 5.2.122 The recipient has exceeded their limit for receiving messages this hour',
    'transient',
  ],
  [
    'Microsoft 365',
    '5.0.350',
    '550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 5.1.1 User unknown',
    'dead',
  ],
  [
    'Outlook.com',
    '5.5.0',
    '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).',
    'doubtful',
  ],
  [
    'Outlook.com',
    '5.7.1',
    "550 5.7.1 Unfortunately, messages from [192.0.2.9] weren't sent. Part of their network is on our block list (S3150).",
    'policy',
  ],
  [
    'Yahoo',
    '5.0.0',
    "554 delivery error: dd This user doesn't have a yahoo.example account (reader) [0] - mta4019",
    'dead',
  ],
  ['Yahoo', '5.0.0', '554 delivery error: dd Not a valid recipient - atlas.mail.example', 'dead'],
  [
    'Yahoo',
    '5.0.0',
    '554 30 Sorry, your message to the reader cannot be delivered. This mailbox is disabled (554.30).',
    'doubtful',
  ],
  ['Yahoo', '5.7.9', '554 5.7.9 Message not accepted for policy reasons.', 'policy'],
  ['Yahoo', '5.0.0', '552 1 Requested mail action aborted, mailbox is over quota', 'full'],
  ['iCloud', '5.1.1', '550 5.1.1 unknown or illegal alias', 'dead'],
  ['iCloud', '5.1.6', '550 5.1.6 recipient no longer on server', 'dead'],
  ['iCloud', '5.2.2', '552 5.2.2 user is over quota', 'full'],
  ['iCloud', '5.7.0', '554 5.7.0 Blocked - see https://support.apple.example/en-us/HT204137', 'policy'],
  [
    'Proton',
    '5.1.1',
    '550 5.1.1 <reader@reader.example>: Recipient address rejected: Address does not exist',
    'dead',
  ],
  [
    'Proton',
    '5.7.1',
    '554 5.7.1 <reader@reader.example>: Recipient address rejected: Account is disabled',
    'doubtful',
  ],
  ['GMX', '5.0.0', '550 Requested action not taken: mailbox unavailable', 'doubtful'],
  ['GMX', '5.0.0', '554 Transaction failed Reject due to policy restrictions.', 'policy'],
  ['Zoho', '5.1.1', '550 5.1.1 User does not exist - reader@reader.example', 'dead'],
  ['Zoho', '5.7.1', '550 5.7.1 Email cannot be delivered. Reason: Email flagged as Spam.', 'policy'],
  ['laposte.net', '5.5.0', '550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416', 'dead'],
  [
    'laposte.net',
    '5.5.0',
    '550 5.5.0 Le compte du destinataire est bloqué. The recipient account is blocked. LPN007_426',
    'doubtful',
  ],
  ['laposte.net', '5.0.0', '550 5.5.0 Service refusé. Votre IP est blacklistée. LPN007_510', 'policy'],
  [
    'Orange',
    '5.1.1',
    '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]',
    'dead',
  ],
  ['Orange', '5.1.1', '552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]', 'full'],
  ['Orange', '5.2.0', '550 5.2.0 Mail rejeté. Mail rejected. OFR_506 [506]', 'policy'],
  ['Free', '5.0.0', '550 5.2.1 This mailbox has been blocked due to inactivity', 'doubtful'],
  ['Free', '5.0.0', '550 spam detected, too many spams from your IP', 'policy'],
  [
    'SFR',
    '5.1.1',
    '550 5.1.1 <reader@reader.example>: Recipient address rejected: User unknown in relay recipient table',
    'dead',
  ],
  ['SFR', '5.7.1', '554 5.7.1 Client host rejected: Abus detecte GU_EIB_04', 'policy'],
  ['Haraka', '5.0.0', '550 I cannot deliver mail for that address: no such user', 'dead'],
  [
    'Mimecast',
    '5.0.0',
    '550 Invalid Recipient - https://community.mimecast.example/docs/DOC-1369#550',
    'dead',
  ],
  ['Mimecast', '5.0.0', '550 Rejected by header based Anti-Spoofing policy: news@news.example', 'policy'],
  ['Proofpoint', '5.1.1', '550 5.1.1 User Unknown', 'dead'],
  ['Proofpoint', '5.7.0', '550 5.7.0 Local Policy Violation', 'policy'],
  ['Proofpoint', '5.0.0', '554 Blocked - see https://ipcheck.proofpoint.example/?ip=192.0.2.9', 'policy'],
  ['Barracuda', '5.1.1', '550 No such user (reader@reader.example)', 'dead'],
  [
    'Barracuda',
    '5.7.1',
    '550 permanent failure for one or more recipients (reader@reader.example:blocked)',
    'policy',
  ],
  [
    'Cisco',
    '5.1.0',
    "5.1.0 - Unknown address error 550-'5.7.1 message blocked due to spam content' (delivery attempts: 0)",
    'policy',
  ],
  ['Cisco', '5.1.0', "5.1.0 - Unknown address error 550-'5.1.1 User unknown' (delivery attempts: 0)", 'dead'],
  [
    'SES',
    '5.1.1',
    '550 5.1.1 <reader@reader.example>: Email address could not be found, or was misspelled',
    'dead',
  ],
  ['SES', '5.1.0', "550 5.1.0 Unknown address error 552-'5.2.2 Mailbox full'", 'full'],
  ['Mailgun', '5.1.1', '550 5.1.1 The email account that you tried to reach does not exist', 'dead'],
  ['Postmark', '5.0.0', "550 5.7.1 Recipient's mailbox not found", 'dead'],
  ['GoDaddy', '5.1.3', '553 http://www.spamhaus.org/query/bl?ip=192.0.2.9', 'policy'],
  [
    'GoDaddy',
    '5.1.1',
    '550 5.1.1 <reader@reader.example> - 192.0.2.9 has sent to too many recipients this hour. IB607',
    'policy',
  ],
  ['Spectrum', '5.1.0', '550 5.1.0 <news@news.example> sender rejected. AUP#In-1310', 'policy'],
  ['Sendmail', '5.1.1', '550 5.7.1 IP address blacklisted by recipient', 'policy'],
  [
    'Sendmail',
    '5.1.2',
    '550 5.1.2 <reader@reader.example>... Host unknown (Name server: reader.example: host not found)',
    'doubtful',
  ],
  ['Postfix', '5.7.1', '550 5.7.1 <reader@reader.example>: Recipient address rejected: User unknown', 'dead'],
  [
    'Postfix',
    '5.4.4',
    'Host or domain name not found. Name service error for name=reader.example type=A: Host not found',
    'doubtful',
  ],
  [
    'Postfix',
    '4.4.3',
    'Host or domain name not found. Name service error for name=reader.example type=MX: Host not found, try again',
    'transient',
  ],
  ['Postfix', '5.4.6', 'mail for reader.example loops back to myself', 'transient'],
  ['Postfix', '5.1.1', '452 4.2.2 Mailbox full', 'full'],
  ['Exim', '5.0.0', '550 Sender verify failed', 'sender'],
  [
    'Exim',
    '5.0.0',
    '550 Verification failed for <news@news.example> No such user here. Sender verify failed',
    'sender',
  ],
  ['Courier', '5.7.0', 'x-unix; maildrop: maildir over quota.', 'full'],
  ['a relay', '5.2.0', '550 5.2.0 Daily sending quota exceeded for your account', 'policy'],
  ['a relay', '5.7.1', '550 5.7.1 Relaying denied', 'policy'],
  ['a server', '5.0.0', '500 Command not recognized', 'sender'],
  ['a server', '5.1.1', '550 RCPT TO:<r@reader.example> max message size exceeded', 'content'],
  ['a server', '5.2.3', 'x-unix; the user’s maildir has overdrawn his diskspace quota', 'full'],
  ['a server', '5.1.1', '550 5.1.1 Greylisted, please try again in 5 minutes', 'policy'],
  ['Apple', '5.1.1', '550 5.1.1 <r@reader.example>: unauthorized sender', 'sender'],
  ['a server in French', '5.0.0', '550 Votre IP est sur une liste noire', 'policy'],
  ['a server in German', '5.0.0', '550 Benutzer hat das Speichervolumen überschritten', 'full'],
  ['Exim', '5.0.0', 'x-exim; r@reader.example is a closed mailing list', 'sender'],
  ['a server in Spanish', '5.0.0', '550 Usuario desconocido', 'dead'],
  ['a server in German', '5.0.0', '550 Empfänger unbekannt', 'dead'],
  ['a server in Arabic', '5.0.0', '550 المستخدم غير موجود', 'dead'],
  ['a server in Arabic', '5.0.0', '552 صندوق البريد ممتلئ', 'full'],
]

test.each(answers)('BNC-1 %s, reported as %s: "%s" is %s', async (_server, status, diagnostic, expected) => {
  expect(await outcomeOf(aDeliveryReport({ recipients: [{ status, diagnostic }] }))).toBe(expected)
})

const forms: [form: string, fields: string, text: string, expected: string][] = [
  [
    'a comment after the action',
    'Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; r@reader.example\nAction: failed (Bad destination mailbox address)\nStatus: 5.1.1 (bad destination mailbox address)',
    '',
    'dead',
  ],
  [
    'no block about the message',
    'Original-Recipient: <r@reader.example>\nAction: failed\nDiagnostic-Code: smtp; 550 Unknown user r@reader.example',
    '',
    'dead',
  ],
  [
    'no empty line before the recipient',
    'Reporting-MTA: dns; mx.example\nArrival-Date: Mon, 1 Jan 2026 10:00:00 +0000\nFinal-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.1.1',
    '',
    'dead',
  ],
  [
    'the action before the recipient',
    'Reporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822; r@reader.example\nOriginal-Recipient: rfc822; r@reader.example\nDiagnostic-Code: smtp; 550 5.1.1 Mailbox does not exist\nStatus: 5.1.1',
    '',
    'dead',
  ],
  [
    'OpenSMTPD: a DMARC fault in the text alone',
    'Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; r@reader.example\nAction: error\nStatus: 5.0.0',
    'r@reader.example: 550 5.7.26 <r@reader.example>: Multiple authentication checks failed',
    'policy',
  ],
  [
    'OpenSMTPD: nobody',
    'Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.0.0',
    'r@reader.example: 550 5.1.1 User unknown\n\n    Below is a copy of the original message:',
    'dead',
  ],
  [
    'Exim: full, and given up',
    'Reporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822; r@reader.example\nStatus: 5.0.0',
    '  r@reader.example\n    mailbox is full: retry timeout exceeded',
    'full',
  ],
  [
    'Exim: at RCPT',
    'Reporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822;r@reader.example\nStatus: 5.0.0',
    '  r@reader.example\n    host mx.reader.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<r@reader.example>:\n    550 5.1.1 <r@reader.example>: user unknown',
    'dead',
  ],
  [
    'a failure that nobody explains',
    'Final-Recipient: rfc822; r@reader.example\nAction: failure',
    '',
    'doubtful',
  ],
  [
    'a program that failed',
    'Final-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.3.0\nDiagnostic-Code: x-unix; 255',
    '',
    'transient',
  ],
  [
    'SendGrid: given up',
    'Final-Recipient: rfc822; r@reader.example\nAction: expired\nDiagnostic-Code: smtp; 550 unable to deliver',
    '',
    'transient',
  ],
  [
    'a reply that is temporary under a Status that is not',
    'Final-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 450 come back',
    '',
    'transient',
  ],
  [
    'relayed',
    'Final-Recipient: rfc822; r@reader.example\nAction: relayed\nStatus: 2.0.0',
    '',
    'not_a_failure',
  ],
  [
    'delivered',
    'Final-Recipient: rfc822; r@reader.example\nAction: delivered\nStatus: 2.1.5',
    '',
    'not_a_failure',
  ],
  [
    'an answer alone',
    'Final-Recipient: rfc822; r@reader.example\nDiagnostic-Code: smtp; 552 Mailbox disk quota exceeded',
    '',
    'full',
  ],
  [
    'an answer in its text that goes on after a number',
    'Final-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.2.0',
    '<r@reader.example>: host mx.reader.example said: 550\n    5.2.0 a1B2 Mail rejete. Mail rejected. OFR_506 [506] (in reply to\n    end of DATA command)',
    'policy',
  ],
  [
    'delayed, though its answer is dire',
    'Final-Recipient: rfc822; r@reader.example\nAction: delayed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 user unknown',
    '',
    'not_a_failure',
  ],
]

test.each(forms)('BNC-1 a report with %s', async (_form, fields, text, expected) => {
  expect(await outcomeOf(aReportOf(fields, text))).toBe(expected)
})

const daemon = 'MAILER-DAEMON@mx.example'
const plain: [form: string, from: string, subject: string, text: string, expected: string][] = [
  [
    'qmail',
    daemon,
    'failure notice',
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<r@reader.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 <r@reader.example>... User Unknown\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <x@news.example>\n",
    'dead',
  ],
  [
    'qmail, of a recipient',
    daemon,
    'failure notice',
    '<r@reader.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 Postfach nicht vorhanden\nGiving up on 192.0.2.1.\n',
    'doubtful',
  ],
  [
    'qmail, of the message',
    daemon,
    'failure notice',
    '<r@reader.example>:\n192.0.2.1 failed after I sent the message.\nRemote host said: 550 not this one\n',
    'policy',
  ],
  [
    'Exim, generated from another address',
    daemon,
    'Mail delivery failed',
    'could not be delivered. The following address(es) failed:\n\n  q@reader.example\n    (generated from r@reader.example)\n    Address unknown (:fail:)\n',
    'dead',
  ],
  [
    'Exim, a host that fails for long',
    daemon,
    'Mail delivery failed',
    'could not be delivered:\n\n  r@reader.example\n    all hosts have been failing for a long time\n',
    'transient',
  ],
  [
    'a full mailbox, and our mail in the same line',
    daemon,
    'Mail Delivery Failure',
    'Delivery has failed due to a full mailbox.\n\nThe first 50 lines of your original message follow:> Received: from spam.example\n> Subject: suspicious\n',
    'full',
  ],
  [
    'a recipient who takes no pictures',
    'Mail Delivery Subsystem <MAILER-DAEMON@mx.example>',
    'Mail Delivery Problem',
    'Your mail could not be delivered because they are not accepting mail with attachments or embedded images:',
    'policy',
  ],
  [
    'a challenge by a daemon',
    daemon,
    'Please confirm your message',
    'Your message is held: your address was not recognized. Reply to release it.',
    'not_a_failure',
  ],
  [
    'a list by a daemon',
    'postmaster@lists.example',
    'Confirmation of your command',
    'You are no member of this list; address unknown',
    'not_a_failure',
  ],
  ['a note by a daemon', daemon, 'Change of address', 'My old mailbox has been closed', 'not_a_failure'],
  [
    'qmail without a code but its own',
    daemon,
    'failure notice',
    'Hi.\n\n<r@reader.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n',
    'dead',
  ],
  [
    'qmail, no host',
    daemon,
    'failure notice',
    "<r@reader.example>:\nSorry, I couldn't find any host named reader.example. (#5.1.2)\n",
    'doubtful',
  ],
  [
    'qmail, given up',
    daemon,
    'failure notice',
    "<r@reader.example>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.\n",
    'transient',
  ],
  [
    'older Exim',
    'Mail Delivery System <Mailer-Daemon@mx.example>',
    'Mail delivery failed: returning message to sender',
    'This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  r@reader.example\n    SMTP error from remote mail server after RCPT TO:<r@reader.example>:\n    host mx.reader.example [192.0.2.1]: 550 No such user here\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <x@news.example>\nSubject: 5.7.1 spam\n',
    'dead',
  ],
  [
    'Exim, our sender refused',
    'Mail Delivery System <Mailer-Daemon@mx.example>',
    'Mail delivery failed: returning message to sender',
    '  r@reader.example\n    SMTP error from remote mail server after MAIL FROM:<x@news.example>:\n    host mx.reader.example [192.0.2.1]: 550 User unknown\n',
    'sender',
  ],
  [
    'dma',
    'MAILER-DAEMON <>',
    'Mail delivery failed',
    'This is the DragonFly Mail Agent v0.13 at mx.example.\n\nThere was an error delivering your mail to <r@reader.example>.\n\nmx.reader.example [192.0.2.1] did not like our RCPT TO:\n550 5.1.1 <r@reader.example>: Recipient address rejected: User unknown\n\nMessage headers follow.\n\nReceived: from root\n',
    'dead',
  ],
  [
    'dma, DMARC',
    'MAILER-DAEMON <>',
    'Mail delivery failed',
    'mx.reader.example [192.0.2.1] did not like our final DATA:\n550-5.7.26 Unauthenticated email from news.example is not accepted due to domain\n550 5.7.26 DMARC policy. - gsmtp\n\nMessage headers follow.\n',
    'policy',
  ],
  [
    'Yahoo',
    'MAILER-DAEMON@yahoo.example',
    'Failure Notice',
    'Sorry, we were unable to deliver your message to the following address.\n\n<r@reader.example>:\n554: 5.7.9: Message not accepted for policy reasons.\n\n--- Below this line is a copy of the message.\n',
    'policy',
  ],
  [
    'Yahoo, nobody',
    'MAILER-DAEMON@yahoo.example',
    'Delivery failure',
    "Message from yahoo.example.\nUnable to deliver message to the following address(es).\n\n<r@reader.example>:\nThis user doesn't have a yahoo.example account (r@yahoo.example) [-5]\n",
    'dead',
  ],
  [
    'older Gmail',
    'Mail Delivery Subsystem <mailer-daemon@googlemail.example>',
    'Delivery Status Notification (Failure)',
    'Delivery to the following recipient failed permanently:\n\n     r@reader.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain reader.example.\n\nThe error that the other server returned was:\n550 5.1.1 <r@reader.example>... User Unknown\n\n----- Original message -----\n\nDKIM-Signature: v=1\n',
    'dead',
  ],
  [
    'Exchange 2003',
    'System Administrator <postmaster@reader.example>',
    'Undeliverable: News',
    'Your message\n\n  To:      r@reader.example\n  Subject: News\n\ndid not reach the following recipient(s):\n\nr@reader.example on Thu, 1 Jan 2026 10:00:00 +0000\n    The recipient name is not recognized\n        The MTS-ID of the original message is: c=US;a= ;p=X\n',
    'dead',
  ],
  [
    'Zoho',
    'mailer-daemon@mail.zoho.example',
    'Undelivered Mail Returned to Sender',
    'This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\nr@reader.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <r@reader.example>... User Unknown\n\nReceived:from mail.zoho.example\n',
    'dead',
  ],
  [
    'Mail.ru',
    'mailer-daemon@corp.mail.example',
    'Ваше сообщение не доставлено. Mail failure.',
    'К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n  r@reader.example\n    SMTP error from remote mail server after RCPT TO:<r@reader.example>:\n    host mx.reader.example [192.0.2.1]: 550 5.2.2 Mailbox Full\n',
    'full',
  ],
  [
    'GMX',
    'MAILER-DAEMON@mail.gmx.example',
    'Mail delivery failed: returning message to sender',
    'A message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n"r@reader.example":\nSMTP error from remote server after RCPT command:\nhost: mx.reader.example\n5.1.1 <r@reader.example>... User Unknown\n\n--- The header of the original message is following. ---\n',
    'dead',
  ],
  [
    'Mimecast',
    'postmaster <postmaster@mimecast.example>',
    '[Postmaster] Email Delivery Failure',
    'An email that you attempted to send to the following address could not be delivered:\n-- r@reader.example\n\nThe problem appears to be :\n-- Recipient email address is possibly incorrect\n\nAdditional information follows :\n-- 5.4.1 Recipient address rejected: Access denied. [AM0EUR.prod.outlook.example]\n',
    'dead',
  ],
  [
    'Postfix in French',
    `Mail Delivery System <${daemon}>`,
    'Message non remis',
    'Bonjour,\n\nvotre message n’a pas pu être remis.\n\n<r@reader.example>: host mx.reader.example[192.0.2.1] said: 550 5.1.1\n    <r@reader.example>: Recipient address rejected: Utilisateur inconnu (in reply to\n    RCPT TO command)\n',
    'dead',
  ],
  [
    'a server in Arabic',
    `نظام البريد <${daemon}>`,
    'تعذر تسليم رسالتك',
    'تعذر تسليم رسالتك إلى r@reader.example:\n\nالمستخدم غير موجود\n',
    'dead',
  ],
  [
    'delay',
    daemon,
    'Delivery Status Notification (Delay)',
    'THIS IS A WARNING MESSAGE ONLY.\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed: r@reader.example\nMessage will be retried for 2 more day(s). 450 4.2.1 mailbox unavailable',
    'not_a_failure',
  ],
  [
    'success',
    daemon,
    'Delivery report',
    'Your message was successfully delivered to mailbox r@reader.example',
    'not_a_failure',
  ],
  [
    'a failure that gives no reason',
    daemon,
    'Undelivered Mail',
    'Your message could not be delivered.',
    'not_a_failure',
  ],
  [
    'a group that may not exist or may be closed',
    daemon,
    'Delivery Status Notification (Failure)',
    'Il se peut que le groupe que vous avez essayé de contacter n’existe pas ou que vous ne soyez pas autorisé à lui envoyer des messages.',
    'not_a_failure',
  ],
  [
    'out of office',
    'Reader <r@reader.example>',
    'Automatic reply: News',
    'I have left. 550 5.1.1 user unknown',
    'not_a_report',
  ],
  [
    'out of office by postmaster',
    'postmaster@reader.example',
    'Out of Office: News',
    'The mailbox of this user does not exist any more',
    'not_a_report',
  ],
  [
    'absence',
    'Reader <r@reader.example>',
    'Réponse automatique : Le Matin',
    'Mon adresse n’existe plus, écrivez à 5.1.1',
    'not_a_report',
  ],
  [
    'absence in Arabic',
    'قارئ <r@reader.example>',
    'رد تلقائي: الأخبار',
    'المستخدم غير موجود',
    'not_a_report',
  ],
  [
    'a person',
    'Reader <r@reader.example>',
    'Re: News',
    'My old mailbox does not exist: 550 5.1.1',
    'not_a_report',
  ],
]

test.each(plain)('BNC-1 a report in words: %s', async (...[, from, subject, text, expected]) => {
  expect(await outcomeOf(aPlainReport({ from, subject, text }))).toBe(expected)
})

test('BNC-4 a report in words changes nothing without our seal, and finds it in the mail it returns', async () => {
  const messageId = sealReference(keyring, 'message-id', reference)
  const text = (id: string) =>
    `<r@reader.example>:\nRemote host said: 550 5.1.1 unknown\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <x@news.example>\nMessage-ID: <${id}@news.example>\n`
  const report = (id: string) => aPlainReport({ from: daemon, subject: 'failure notice', text: text(id) })
  expect(await outcomeOf(report(messageId), '', 'news@news.example')).toBe('dead')
  expect(await outcomeOf(report('aaaa.bbbb'), '', 'news@news.example')).toBe('unsealed')
})

test('a report is read from nobody and from a daemon, and never from a person', async () => {
  const words = aPlainReport({
    from: daemon,
    subject: 'failure notice',
    text: '<r@reader.example>:\n550 5.1.1 unknown',
  })
  for (const from of ['', 'MAILER-DAEMON@mx.example', 'postmaster@mx.example', 'double-bounce@mx.example']) {
    expect(await outcomeOf(words, from), from).toBe('dead')
    expect(await outcomeOf(aDeliveryReport(), from), from).toBe('dead')
  }
  expect(await outcomeOf(words, 'r@reader.example')).toBe('not_a_report')
  // Some relays give the report an address of theirs, and name the daemon in the mail alone.
  expect(await outcomeOf(aDeliveryReport(), 'apps@relay.example')).toBe('dead')
  const forwarded = aDeliveryReport()
    .toString()
    .replace(/^From: .*$/m, 'From: Reader <r@reader.example>')
  expect(await outcomeOf(Buffer.from(forwarded), 'r@reader.example')).toBe('not_a_report')
})

test('BNC-1 of two parts that call themselves a report, the one with fields is read', async () => {
  const fields = 'Final-Recipient: rfc822; r@reader.example\nAction: failed\nStatus: 5.1.1'
  const twice = aReportOf(fields, '')
    .toString()
    .replace(
      /(--[^\n\r]+)(\r?\n)Content-Type: message\/delivery-status/i,
      (part, boundary: string, end: string) =>
        [boundary, 'Content-Type: message/delivery-status', '', 'This message was undeliverable.', part].join(
          end,
        ),
    )
  expect(twice.match(/message\/delivery-status/g)).toHaveLength(2)
  expect(await outcomeOf(Buffer.from(twice))).toBe('dead')
})
