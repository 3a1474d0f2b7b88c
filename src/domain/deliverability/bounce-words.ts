/** Whom a server means. */
const persons = `
    user, mailbox, mail box, recipient, rcpt, account, address, addressee, person, alias, member, utilisateur,
    destinataire, compte, adresse, boite, usuario, destinatario, cuenta, buzon, utente, casella, empfanger,
    postfach, benutzer, casilla, esta conta, conta de, ontvanger, gebruiker`

/**
 * The phrases by which servers say so, between commas. One stands at the beginning of a word, and `…` is up to sixty
 * characters of the same sentence. Case, accents, apostrophes and punctuation do not count: `boîte pleine` is found in
 * `BOITE_PLEINE`. What is missing is added here, with a line in tests/unit/bounce.test.ts.
 */
const phrases = {
  reputation: `
    blacklist, black list, blocklist, block list, denylist, deny list, dnsbl, rbl, geoip, spamhaus,
    spamcop, barracudacentral, sorbs, uribl, surbl, cloudmark, invaluement, listed at,
    listed by, is listed, was listed, are listed, currently listed, reputation, listing in, rate limit, ratelimit, as spam, is spam,
    spam message, spam content, spam detected, spam score, spam like, like spam, be spam, spam or virus,
    spam filter, anti spam, antispam, too much spam, sending spam, spam source, suspected spam,
    possible spam, probable spam, spam reject, spam block, spam refused, spam email, for spam, spams,
    spammer, spamming, spamassassin, unsolicited, bulk mail, bulk email, mass mail, junk mail, junkmail,
    suspicious, complaint, abuse, abusive, abus detecte, aup in, aup out, phish, virus, malware,
    content filter, content reject, content denied, unacceptable content, banned, harmful, your ip,
    sending ip, sender ip, ip address, client host, your server, your mail server, your host, your network,
    your domain, reverse dns, rdns, ptr record, no ptr, cannot find your, helo, ehlo, dynamic ip, invalid ip,
    not allowed to connect, blocked using, blocked see, message blocked,
    mail blocked, email blocked, mail has been blocked, message has been blocked, message was blocked,
    message is blocked, local policy, by policy, policy violation, policy reason, security policy,
    security policies, organization policy, organizational settings, due to policy, policy rejection,
    policy restriction, access policy, refuse le message, message refuse, votre ip, liste noire, lista negra,
    schwarze liste, القائمة السوداء, مزعج, بريد عشوائي, greylist, graylist, with attachments`,
  rate: `
    too many, throttl, sending limit, sending rate, sending quota, send quota, sender quota, senders quota,
    sender … quota, senders … quota, daily quota, hourly quota, outgoing quota, outbound quota,
    daily limit, hourly limit, daily sending, daily message, per hour, this hour, per day, per minute,
    max emails, message limit, message rate, connection rate, unusual rate, volume of, unexpected volume,
    quota for sending, too fast, slow down, slower, too quickly, concurrent, connection limit, your quota,
    limit on … sent, trop de, limite d envoi, quota d envoi`,
  authentication: `
    dmarc, spf, dkim, sender policy framework, unauthenticated, not authenticated, smtp auth,
    authentication required, authentication is required, requires authentication, authentication check,
    authentication fail, authentication level, authentification, authenticate, authenticated sender,
    starttls, tls required, support tls, require tls, not signed, unsigned`,
  'our address': `
    sender address, sender email, sender verif, sender reject, sender denied, sender refused,
    sender domain, invalid sender, bad sender, sender is, sender was, sender not, sender unknown,
    unknown sender, unauthorized sender, closed mailing list, domain of sender, senders domain, envelope sender, null sender, empty envelope,
    return path, verification failed for, unverified address, address is not verified,
    mail from … rejected, mail from … refused, mail from … denied, from address, from header, valid from, from domain, batv,
    backscatter, not allowed to send, not permitted to send, not authorized to send, permission to send,
    originator, accept mail from, accepts mail from, accepting mail from, accepts messages from,
    accept messages from, members only, not subscribed, non member, allowed to post, permission to post,
    moderat, emetteur, expediteur, absender, remitente, mittente`,
  relay: `
    relaying, relay access, relay not, relay denied, relay is, to relay, no relay, open relay, as a relay,
    insecure mail relay, rcpthost, handle mail for, not a gateway, not local host, domain is not allowed`,
  'receiving too much': `
    receiving mail at a rate, receiving mail too quickly, receiving email at a rate, receiving limit,
    receive limit, receiving … too quickly, receiving … too fast, receiving messages at a rate`,
  expired: `
    message expired, envelope expired, delivery expired, time expired, expired in queue, expired after, queue … expired,
    retry time, retry limit, retry period, timed out, time out, timeout, retries, gave up after,
    connection refused, connection reset, connection lost, lost connection, connection fail,
    connection drop, connection was, could not connect, couldnt connect, unable to connect, cannot connect,
    failed to connect, connect to … failed, requests to connect, not reachable, unreachable, no route to,
    not respond, no response, network error, network problem, in the queue, in queue, queued too long,
    could not be delivered for, failing for a long time, delai … depasse, delai … expire`,
  loop: `
    points to local host, mail loop, forwarding loop, routing loop, loops back, loop detect, loop broken, loop count,
    looping, too many hops, hop count`,
  later: `
    temporar, try again, try later, retry later, try it again, come back, deferred, plus tard, local error,
    configuration error, config error, system error, internal error, internal server error, misconfigur,
    local problem, insufficient system, service unavailable, service not available,
    service currently unavailable, service is unavailable, mailer error, command died, command failed,
    error while being processed, unable to open, cant create, permission denied, software caused,
    pipe to, exit status, child status, command output`,
  'no domain': `
    nxdomain, domain name not found, host not found, host unknown, unknown host, no such host,
    non existent domain, non existent host, no such domain, unknown domain, domain unknown,
    domain … not exist, domain … doesnt exist, domain … not found, domain … unknown, domain must exist,
    nullmx, null mx, not accept mail, no mx, no mail exchanger, no valid mail exchanger,
    bad destination system, unrouteable, unroutable, name or service not known, domaine inconnu,
    domaine inexistant, domaine … existe pas, find any host named, host lookup did not complete`,
  'lookup failed': `
    dns error, dns query, dns lookup, dns fail, dns server, dns time, dns type, dns record, dns resol,
    dns operation, dns problem, name server, nameserver, name service, lookup fail, lookup error,
    lookup time, servfail, lookup did not complete, unable to resolve, could not resolve,
    not found try again, unable to lookup`,
  full: `
    over quota, overquota, over … quota, quota exceed, exceed … quota, exceeded … quota, quota reached,
    exceeds … quota, exceeding … quota, disk quota, disc quota, diskspace, disk space, disc space,
    quota violation, quota full, quota … is full, full mailbox, mailbox quota, out of storage,
    out of space, storage … exceed, exceed … storage, exceeded … storage, storage … full, exhausted … storage, speichervolumen, enough … space,
    enough space, sufficient … space, no space left, space has been used up, mailfolder is full,
    folder is full, inbox … full, reached … quota, mailbox size, mailbox … limit, box … full,
    too many messages on, too much mail data, shutoffquotaexceeded, quotaexceeded, memory … full,
    size of … mailbox, mailbox would exceed, boite … pleine, boite … saturee, quota … depass,
    depass … quota, boite … plus de place, espace insuffisant, postfach … voll, speicherplatz,
    buzon … lleno, mailbox lleno, cuota … excedid, casella … piena, caixa … cheia, postvak … vol, переполнен, квота,
    ممتلئ, تجاوز … الحصة, メールボックスが一杯, 容量, 邮箱已满`,
  'too large': `
    too large, too big, too long, message size, size limit, size exceed, exceeds … size, maximum size,
    exceeded … size, exceeds maximum, message length, trop volumineux, trop gros, taille maximale,
    zu gross, zu groß, demasiado grande`,
  nobody: `
    user unknown, userunknown, 550 unknown, 550 not found, 550 does not exist, user is unknown, user not known, unknown user, unknown recipient,
    unknown mailbox, unknown address, unknown account, unknown email, unknown e mail, unknown local,
    unknown or invalid, unknown virtual, unknown customer, not a known, is not known, no such user,
    no such recipient, no such mailbox, no such person, no such address, no such account, no such local,
    no such virtual, no such email, no such alias, no such name, nosuchuser, no mailbox, no mail box,
    no account by, no account with, no user by, no user here, nobody by, no one at, no valid recipient,
    no longer valid, no longer exist, no longer in use, no longer with, no longer at, no longer employed,
    dosnt exist, doesnt have … account, does not have … account, invalid recipient, invalid mailbox, invalid user,
    invalid address, invalid email, invalid local, invalid account, invalid rcpt, address invalid,
    bad recipient, bad destination mailbox, bad address, bad mailbox, bad user, not a valid recipient,
    not a valid mailbox, not a valid user, not a valid address, not a valid email, not a user,
    non existent, nonexistent, not our customer, recipientnotfound, recipient notfound, recipient not ok,
    validrcptto, badrcptto, badrecipientto, envelope recipient, name is not recognized,
    not listed in domino, user has moved, has been replaced, not email addresses, name is not found,
    not a local address, not listed in public, not an active address, no existe ese usuario,
    user missing home, not in … directory, in name directory,
    no longer on … server, addresses were unknown, unbekannter benutzer, nessun utente, no existe dicha,
    inconnu a cette adresse, пользователь … не найден, пользователь не существует, неизвестный пользователь,
    ящик … не существует, адрес … не существует, المستخدم غير موجود, المستلم غير موجود, العنوان غير موجود,
    عنوان البريد غير موجود, صندوق البريد غير موجود, المستلم غير معروف, الحساب غير موجود, مستخدم غير معروف, ユーザーは存在しません, 用户不存在, 收件人不存在`,
  closed: `
    discontinued, deactivated, mailbox unavailable, mailbox unavaiable, mailbox not available,
    mailbox is unavailable, account unavailable, recipient unavailable, user unavailable, inactive user,
    inactive account, invalid/inactive, inactivity, closed account, no longer accept,
    not accepting any, not accepting mail, not accepting message, not currently being accepted,
    cannot receive, unable to receive, can not receive, mail receiving disabled, suspend the service, mailbox … unavailable or, archived recipient,
    заблокирован, отключен, معطل, موقوف`,
  suspicion: `
    spam, block, polic, mail rejete, mail rejected, email rejected, message rejected, message filtered,
    message refused, mail refused, by this user, by the recipient`,
  denial: `
    denied, refus, prohibit, restrict, not authorized, not authorised, unauthorized, not permitted,
    not allowed, security, preferences, user rules, filter, protocol violation, not accepted here, are not accepted, access, rejete, bloque,
    verweigert, abgelehnt, rechazad`,
  'this person': `
    recipient … reject, recipients … reject, address … reject, addresses … reject, user … reject, account … reject,
    mailbox … reject, rcpt … reject, recipient … not accepted, address … refused, recipient … refused,
    destinataire … refus, destinataire … rejet, adresse … refus, adresse … rejet`,
}

/** What a refusal says in words, whoever wrote it. */
export type Meaning = keyof typeof phrases

/** What is said of one of the persons above, in the same sentence. */
const ofPersons: Partial<Record<Meaning, string>> = {
  full: `
    full, over quota, quota, exceed … size, exceeded … limit, exceeded the local limit, overflow`,
  nobody: `
    not found, notfound, wasnt found, be found, not exist, doesnt exist, isnt valid, not valid,
    not recogni, not present, unknown, invalid, not listed, not known, no longer exist, not a known, not local,
    is wrong, incorrect, removed, deleted, inconnu, invalide, inexistant, existe pas, existe plus, introuvable,
    no existe, desconocid, inesistente, non esiste, sconosciut, nao existe, desconhecid, unbekannt,
    existiert nicht, nicht gefunden, bestaat niet, onbekend, ungultig`,
  closed: `
    disabled, suspended, inactive, not active, terminated, locked, is blocked, has been blocked,
    blocked lpn, closed, frozen, archived, dormant, expired, expirad, on hold, bloque, desactive, suspendu, ferme,
    archive, cloture, resilie, indisponible, deshabilitad, gesperrt, deaktiviert, disattivat, desativad,
    temporarily … suspended, not enabled, not activated`,
}

/** How far `…` reaches. */
const farthest = 60

/**
 * Lower case, without accents, and with single spaces for all that is neither letter nor digit. Addresses are left out,
 * and of one on the web all but the host: what they are made of says nothing.
 */
const plain = (text: string): string =>
  ` ${text
    .replace(/\b(?:generated|expanded) from \S+/gi, '')
    .replace(/\bhttps?:\/\/([^\s/?]{1,200})\S*/gi, '$1')
    .replace(/[^\s<>"'(),;:]+/g, (word) => (word.includes('@') || word === '[address]' ? '' : word))
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[’`´]/g, "'")
    .replace(/\p{Mn}|'(?=(?:t|s|re|ve)\b)/gu, '')
    .replace(/\.(?=\p{L})/gu, ' ')
    .replace(/[^\p{L}\p{N}.]+/gu, ' ')} `

const listed = (phrases: string): string[] =>
  phrases
    .split(',')
    .map((phrase) => phrase.trim())
    .filter((phrase) => phrase !== '')

/** A phrase stands at the beginning of a word where its script has words between spaces. */
const piecesOf = (phrase: string): string[] =>
  phrase
    .split('…')
    .map((piece) => plain(piece).trimEnd())
    .map((piece) => (/^ [a-z0-9]/.test(piece) ? piece : piece.trim()))

const table = Object.entries(phrases).map(([meaning, each]) => ({
  meaning: meaning as Meaning,
  phrases: listed(each).map(piecesOf),
  ofPersons: listed(ofPersons[meaning as Meaning] ?? '').map(piecesOf),
}))
const personPieces = listed(persons).map(piecesOf)

/** All that a refusal's text says. Its cost is the length of the text times the number of phrases. */
export function meaningsOf(text: string): Set<Meaning> {
  const words = plain(text)
  const ofThem = personPieces.flatMap(([person = '']) => sentencesAfter(words, person))
  const rows = table.filter(
    (row) =>
      row.phrases.some((pieces) => isSaid(words, pieces)) ||
      row.ofPersons.some((pieces) => ofThem.some((sentence) => followsIn(sentence, pieces))),
  )
  return new Set(rows.map(({ meaning }) => meaning))
}

/** @param phrases written as in the table above */
export function phraseFinder(phrases: string): (text: string) => boolean {
  const sought = listed(phrases).map(piecesOf)
  return (text) => {
    const words = plain(text)
    return sought.some((pieces) => isSaid(words, pieces))
  }
}

const isSaid = (words: string, [first = '', ...then]: string[]): boolean =>
  then.length === 0
    ? words.includes(first)
    : sentencesAfter(words, first).some((sentence) => followsIn(sentence, then))

function sentencesAfter(words: string, phrase: string): string[] {
  const sentences: string[] = []
  for (let at = words.indexOf(phrase); at >= 0; at = words.indexOf(phrase, at + 1)) {
    const after = at + phrase.length
    sentences.push(words.slice(after, after + farthest).split('. ', 1)[0] ?? '')
  }
  return sentences
}

function followsIn(sentence: string, pieces: string[]): boolean {
  let from = 0
  for (const piece of pieces) {
    const at = sentence.indexOf(piece, from)
    if (at < 0) return false
    from = at + piece.length
  }
  return true
}
