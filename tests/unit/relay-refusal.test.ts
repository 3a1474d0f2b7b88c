import { expect, test } from 'vitest'
import { classifyBounce } from '../../src/domain/deliverability/bounce.ts'
import type { Diagnosis } from '../../src/domain/delivery/diagnosis.ts'
import { findRelayRefusal } from '../../src/domain/delivery/relay-refusal.ts'
import { statusOf } from '../../src/mail/smtp/server-answer.ts'

const diagnosis = (stage: Diagnosis['stage'], text: string): Diagnosis => ({
  stage,
  code: Number(text.slice(0, 3)),
  status: statusOf(text),
  text,
})

test.each([
  // Gmail and Workspace
  ['rcpt', '550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to'],
  ['data', '550-5.4.5 Daily user sending quota exceeded. a1-20020a05 - gsmtp'],
  ['rcpt', '550 5.7.1 Daily SMTP relay sending limit exceeded for customer. For more information'],
  ['rcpt', '450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.'],
  ['mail', '530-5.7.0 Authentication Required. For more information, go to'],
  ['connect', '535-5.7.8 Username and Password not accepted.'],
  ['connect', '534-5.7.9 Application-specific password required.'],
  ['rcpt', '550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address is not registered'],
  // Amazon SES
  ['data', '454 Throttling failure: Daily message quota exceeded.'],
  ['data', '454 Throttling failure: Maximum sending rate exceeded.'],
  [
    'data',
    '554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-3: news@rivage.example',
  ],
  [
    'data',
    '554 Message rejected: Sending paused for this account. For more information, please check the inbox',
  ],
  [
    'data',
    "554 Access denied: User `arn:aws:iam::1:user/x` is not authorized to perform `ses:SendRawEmail' on resource",
  ],
  // Mailgun, SendGrid, Postmark, Brevo
  [
    'data',
    '550 5.7.1 Domain mg.rivage.example is not allowed to send: The domain is unverified and requires DNS configuration.',
  ],
  ['rcpt', '550 5.7.1 Relaying denied'],
  ['data', '421 Sandbox subdomains are for test purposes only. Please add your own domain'],
  ['data', '420 4.7.0 hourly limit: recipient limit exceeded'],
  ['connect', '451 Authentication failed: Maximum credits exceeded'],
  ['data', '550 Maximum credits exceeded'],
  [
    'data',
    '550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.',
  ],
  ['mail', '550 Unauthenticated senders not allowed'],
  ['rcpt', '452 Too many recipients received this hour'],
  [
    'data',
    "550 5.7.1 The 'From' address you supplied <a@b.example> is not a Sender Signature on your account.",
  ],
  ['data', '450 Not allowed to send: your account has run out of credits.'],
  ['mail', '550 Your account is pending approval; recipients must share the domain of the From address'],
  ['connect', '525 5.7.1 Unauthorized IP address'],
  ['mail', '502 5.7.0 Please activate your SMTP account'],
  ['data', '550 5.7.1 Your SMTP account is not yet activated. Please contact support'],
  ['data', '554 5.7.1 Sender not verified'],
  // OVH, Gandi, IONOS, Zoho, Yahoo
  ['rcpt', '550 5.7.1 Spam detected: account blocked - see https://www.ovh.example'],
  ['rcpt', '554 5.7.1 <news@rivage.example>: Sender address rejected: quota exceeded'],
  ['rcpt', '450 4.7.1 <r@reader.example>: Recipient address rejected: sending rate limit exceeded'],
  [
    'data',
    '450 Requested mail action not taken: mailbox unavailable Mail send limit exceeded. For explanation visit',
  ],
  ['mail', '550 Requested action not taken: mailbox unavailable Sender address is not allowed.'],
  ['data', '550 5.4.6 Unusual sending activity detected. Please try after sometime.'],
  ['data', '550 5.4.6 mail rate exceeded limit'],
  ['mail', '553 Relaying disallowed as news@rivage.example'],
  ['data', '554 5.1.8 Email Outgoing Blocked.'],
  ['mail', '553 From address not verified - see http://help.example'],
  // Microsoft 365
  ['data', '550 5.7.60 SMTP; Client does not have permissions to send as this sender'],
  ['data', '554 5.2.252 SendAsDenied; news@rivage.example not allowed to send as alerts@rivage.example'],
  [
    'data',
    '554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message',
  ],
  ['rcpt', '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.'],
  ['connect', '535 5.7.3 Authentication unsuccessful'],
  ['mail', '530 5.7.57 Client not authenticated to send mail.'],
  ['mail', '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.example'],
  ['data', '550 5.1.8 Access denied, bad outbound sender'],
  ['data', '550 5.7.705 Access denied, tenant has exceeded threshold'],
  [
    'data',
    "550 5.7.233 Your message can't be sent because your tenant has exceeded its daily limit for sending email to external recipients",
  ],
  ['data', '550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains'],
  // cPanel, Exim, policy daemons of Postfix
  [
    'rcpt',
    '550 Domain rivage.example has exceeded the max emails per hour (101/100 (101%)) allowed. Message discarded.',
  ],
  [
    'rcpt',
    '550 Domain rivage.example has exceeded the max defers and failures per hour (5/5 (100%)) allowed.',
  ],
  ['rcpt', '550 You have exceeded the hourly limit of 20 messages'],
  ['mail', '550 Outgoing mail from "rivage" has been suspended.'],
  ['rcpt', '550 Sender verify failed'],
  ['rcpt', '450 4.7.1 <r@reader.example>: Recipient address rejected: Policy Rejection- Quota Exceeded.'],
  ['rcpt', '554 5.7.1 <r@reader.example>: Recipient address rejected: You have exceeded your Outmail quota.'],
  ['mail', '450 4.7.1 Error: too much mail from 192.0.2.1'],
  ['rcpt', '450 Number messages per hour exceeded'],
  ['rcpt', '554 5.7.1 <r@reader.example>: Relay access denied'],
  ['rcpt', '553 5.7.1 <news@rivage.example>: Sender address rejected: not owned by user rivage'],
  ['rcpt', '550 5.7.1 <news@rivage.example>: Sender address rejected: not logged in'],
  ['mail', '421 4.7.0 Too many messages from this account today'],
  ['rcpt', '550 You (rivage) have reached your message limit'],
  ['rcpt', '550 Your IP address 192.0.2.7 is not allowed to use this server'],
  ['mail', '550 You are not permitted to send'],
  ['mail', '552 Your plan has expired; billing information is needed'],
  // in French
  ['rcpt', "550 Quota d'envoi dépassé"],
  ['rcpt', "450 4.7.1 Limite d'envoi atteinte, veuillez réessayer plus tard"],
  ['mail', '550 Votre compte est suspendu'],
  ['mail', '550 5.7.1 Expéditeur non autorisé'],
  ['data', '554 Crédits insuffisants'],
  ['connect', '535 Authentification échouée'],
  ['mail', "550 Adresse d'expédition non vérifiée"],
] as const)('at %s, %s: about us', (stage, text) => {
  expect(findRelayRefusal(diagnosis(stage, text))).toMatch(/rate|account/)
  expect(classifyBounce(diagnosis(stage, text))).toBe('sender')
})

test.each([
  ['rcpt', '550 5.1.1 <r@reader.example>: Recipient address rejected: User unknown in virtual mailbox table'],
  ['rcpt', '550 5.1.1 The email account that you tried to reach does not exist. Please try'],
  ['rcpt', '550 5.2.1 The email account that you tried to reach is disabled.'],
  ['rcpt', '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)'],
  ['rcpt', '550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416'],
  ['rcpt', '452 4.2.2 The email account that you tried to reach is over quota.'],
  ['rcpt', '552 5.2.2 Over quota'],
  ['data', '552 5.2.2 Mailbox quota exceeded'],
  ['rcpt', '550 Mailbox has exceeded the limit'],
  ['rcpt', '552 Requested mail action aborted: exceeded storage allocation'],
  ['rcpt', "450 4.2.2 The recipient's inbox is out of storage space"],
  ['data', '552 Boîte du destinataire pleine, quota dépassé'],
  ['rcpt', '450 4.2.1 The user you are trying to contact is receiving mail too quickly.'],
  [
    'rcpt',
    '450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages',
  ],
  ['rcpt', '451 4.7.1 Greylisting in action, please come back later'],
  ['data', '554 5.7.1 Message rejected as spam'],
  ['data', '550 5.7.1 Blocked: spam content detected'],
  ['data', '550-5.7.26 Unauthenticated mail from rivage.example is not accepted due to domain DMARC policy'],
  ['data', '552 5.3.4 Message size exceeds fixed limit'],
  ['data', '554 5.6.0 No'],
  ['rcpt', '550 5.7.13 account disabled'],
  ['rcpt', '550 5.2.1 This account has been suspended'],
  ['data', '554 delivery error: This account has been disabled or discontinued'],
  ['rcpt', '550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426'],
  ['rcpt', '421 4.7.26 Your email has been rate limited because it is unauthenticated. Try again later'],
  ['rcpt', '550 5.7.1 Blocked'],
  ['rcpt', '421 4.3.2 Closing'],
  ['rcpt', '450 4.2.0 Later'],
  ['rcpt', '550 No such user here'],
  ['rcpt', '550 You tried to send to a recipient that has been marked as inactive'],
  ['data', '554 5.4.6 Too many hops'],
  ['report', '550 5.7.1 Unable to relay'],
  ['report', '550 5.1.1 <r@reader.example>: user unknown'],
  ['report', '552 5.2.2 Mailbox full: quota exceeded'],
] as const)('at %s, %s: not about us', (stage, text) => {
  expect(findRelayRefusal(diagnosis(stage, text))).toBeUndefined()
})
