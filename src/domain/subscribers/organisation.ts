import { getDomain } from 'tldts'

/** Whose a domain is: the name that somebody registered, as the public suffix list tells it. Its owner can make any subdomain. */
export const organisationOf = (domain: string): string =>
  getDomain(domain, { allowPrivateDomains: true, extractHostname: false, validateHostname: false }) ?? domain

const families = /^(?:gmx|hotmail|live|msn|outlook|yahoo|yandex)\.(?:com?\.)?[a-z]{2,3}$/
const providers = new Set(
  `aim.com aol.com bbox.fr bluewin.ch free.fr gmail.com googlemail.com icloud.com laposte.net libero.it mac.com mail.com
  mail.ru me.com naver.com neuf.fr numericable.fr orange.fr proton.me protonmail.com qq.com rocketmail.com sfr.fr skynet.be
  t-online.de telenet.be videotron.ca wanadoo.fr web.de ymail.com zoho.com 163.com`.split(/\s+/),
)

/** Where the public has its mailboxes: a crowd there is no sign of anything. */
export const isMailboxProvider = (organisation: string): boolean =>
  providers.has(organisation) || families.test(organisation)
