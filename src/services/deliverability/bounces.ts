import { domainOf, findAddress, hashAddress } from '../../domain/subscribers/address.ts'
import {
  classifyBounce,
  complaintLimit,
  diagnosisOf,
  isGreylisting,
} from '../../domain/deliverability/bounce.ts'
import { scoreBounce } from '../../domain/deliverability/suppression.ts'
import type { Diagnosis } from '../../domain/delivery/diagnosis.ts'
import type { SendOutcome } from '../../domain/delivery/delivery.ts'
import type { MailReference } from '../../domain/delivery/mail-reference.ts'
import type { InboundMail, RecipientReport } from '../../mail/inbound/inbound.ts'
import type { BouncedMail, BounceEffects } from '../../store/deliverability/bounces.ts'
import type { Stores } from '../../store/stores.ts'
import { tellDesk } from '../desk/tell-desk.ts'
import type { Parts } from '../parts.ts'
import { endSubscriptions } from '../subscribers/end-subscriptions.ts'

export type BounceService = ReturnType<typeof createBounceService>

/** What came back under our seal. */
type ReturnedMail = Exclude<InboundMail, { kind: 'ignored' }>

/** Asked where a report would change something, in the same transaction: false leaves all as it is. */
export type Guard = (stores: Stores, mail: BouncedMail) => Promise<boolean>

const always: Guard = () => Promise.resolve(true)

export function createBounceService(
  parts: Pick<Parts, 'database' | 'doorbell' | 'keyring' | 'config' | 'log' | 'now'>,
) {
  const { database, doorbell, keyring, config, log, now } = parts
  const hashesOf = (mail: BouncedMail) => {
    const address = mail.address === undefined ? undefined : findAddress(mail.address)
    return address ? hashAddress(keyring, address) : []
  }

  const suppress = async (
    stores: Stores,
    mail: BouncedMail,
    reason: 'bounced' | 'complained',
    detail: string,
  ): Promise<BounceEffects> => {
    const hashes = hashesOf(mail)
    const suppressed = hashes.length > 0 && (await stores.suppressions.find(hashes)) === undefined
    if (hashes.length > 0) await stores.suppressions.put(hashes, { reason, detail })
    if (mail.subscriberId === undefined) return { suppressed }
    return { suppressed, ended: await endSubscriptions(stores, { subscriberId: mail.subscriberId, reason }) }
  }

  /** In a transaction, of a mail that is ours, where the guard lets it. */
  const withMail = (
    reference: MailReference,
    isAllowed: Guard,
    work: (stores: Stores, mail: BouncedMail) => Promise<void>,
  ): Promise<void> =>
    database.transaction(async (stores) => {
      const mail = await stores.bounces.findMail(reference)
      if (mail && (await isAllowed(stores, mail))) await work(stores, mail)
    })

  const recordBounce = async (
    reference: MailReference,
    diagnosis: Diagnosis,
    source: 'smtp' | 'dsn',
    isAllowed = always,
  ): Promise<void> => {
    const at = now()
    const bounceClass = classifyBounce(diagnosis, source)
    await withMail(reference, isAllowed, async (stores, mail) => {
      // However long it lasts, it says nothing about a person.
      if (mail.isFormer || isGreylisting(diagnosis)) return
      const { subscriberId } = mail
      if (subscriberId !== undefined) await stores.subscribers.lock(subscriberId)
      const past = subscriberId === undefined ? [] : await stores.bounces.listOf(subscriberId)
      const cleanAt =
        subscriberId === undefined ? undefined : await stores.bounces.findCleanAt(subscriberId, at)
      const { points, score, isSuppressed } = scoreBounce({ class: bounceClass, at }, past, cleanAt)
      const bounceId = await stores.bounces.insert(
        {
          subscriberId,
          reference,
          source,
          class: bounceClass,
          status: diagnosis.status,
          answer: diagnosis.text,
          domain: mail.address && domainOf(mail.address),
          points,
        },
        at,
      )
      if (bounceId === undefined) return
      if (mail.activationId !== undefined && (bounceClass === 'dead' || bounceClass === 'doubtful')) {
        const activation = await stores.bounces.expireActivation(mail.activationId)
        if (activation) await stores.bounces.updateEffects(bounceId, { activation })
      }
      if (subscriberId !== undefined && points > 0) await stores.bounces.updateScore(subscriberId, score, at)
      if (isSuppressed) {
        const detail = `${bounceClass} ${diagnosis.status ?? ''}`.trim()
        await stores.bounces.updateEffects(bounceId, await suppress(stores, mail, 'bounced', detail))
      }
      if (bounceClass === 'policy') await tellOfPolicy(stores, mail, diagnosis, at)
    })
    log.info({ class: bounceClass, status: diagnosis.status, source }, 'mail came back')
    await doorbell.ring('deliver-mail', {})
  }

  /** Of several recipients, a mailing list's for one, only the one we wrote to is ours. */
  const recordReports = async (reference: MailReference, reports: RecipientReport[]): Promise<void> => {
    const mail = await database.stores.bounces.findMail(reference)
    const address = mail?.address?.toLowerCase()
    const ours = reports.find(
      ({ addresses, isAlone }) => isAlone || (address !== undefined && addresses.includes(address)),
    )
    if (ours) await recordBounce(reference, ours.diagnosis, 'dsn')
    else log.info('a report speaks of nobody we wrote to')
  }

  const tellOfPolicy = async (stores: Stores, mail: BouncedMail, diagnosis: Diagnosis, at: Date) => {
    const domain = domainOf(mail.address ?? '')
    await tellDesk(stores, {
      notice: 'policy',
      values: { domain, answer: diagnosis.text },
      url: `${config.publicUrl}/desk/deliverability`,
      once: `${domain}:${at.toISOString().slice(0, 10)}`,
    })
  }

  const tellOfComplaints = async (stores: Stores, at: Date) => {
    const { accepted, complaints } = await stores.bounces.countWeek(at)
    const rate = complaints / Math.max(accepted, 1)
    if (rate < complaintLimit) return
    await tellDesk(stores, {
      notice: 'complaints_high',
      values: { percent: Math.round(rate * 10_000) / 100 },
      url: `${config.publicUrl}/desk/deliverability`,
      once: at.toISOString().slice(0, 10),
    })
  }

  const recordComplaint = async (
    reference: MailReference,
    proof: string,
    isAllowed = always,
  ): Promise<void> => {
    const at = now()
    await withMail(reference, isAllowed, async (stores, mail) => {
      const { subscriberId } = mail
      const complaint = {
        subscriberId,
        reference,
        source: 'arf',
        class: 'complaint',
        points: 0,
        domain: mail.address && domainOf(mail.address),
        proof,
      } as const
      if ((await stores.bounces.insert(complaint, at)) !== undefined) {
        await suppress(stores, mail, 'complained', 'complaint by feedback report')
        await tellOfComplaints(stores, at)
      }
    })
    await doorbell.ring('deliver-mail', {})
  }

  /** Ends the newsletter that the mail was of; of a mail of none, all of them, and what waits for a yes. */
  const unsubscribe = (reference: MailReference, isAllowed = always): Promise<void> =>
    withMail(reference, isAllowed, async (stores, mail) => {
      if (mail.activationId !== undefined) await stores.bounces.expireActivation(mail.activationId)
      const { subscriberId, newsletterId } = mail
      if (subscriberId === undefined) return
      await endSubscriptions(stores, { subscriberId, newsletterId, reason: 'unsubscribed' })
    })

  return {
    /**
     * A server's refusal, seen while sending. What may pass when tried again says nothing about a person yet.
     * @param isLast it was tried again and again, until its time was over
     * @param address whom it refused, where the person may have another address since
     */
    async recordRefusal(
      reference: MailReference,
      outcome: Extract<SendOutcome, { kind: 'refused' }>,
      isLast = false,
      address?: string,
    ): Promise<void> {
      const diagnosis = diagnosisOf(outcome)
      if (classifyBounce(diagnosis) === 'transient' && !isLast) return
      await recordBounce(reference, diagnosis, 'smtp', (_stores, mail) =>
        Promise.resolve(address === undefined || address === mail.address),
      )
    },

    /** The refusal of this mail was about us: what it was recorded as, and all that followed, is undone. */
    takeBack: (reference: MailReference): Promise<void> =>
      database.transaction(async (stores) => {
        const mail = await stores.bounces.findMail(reference)
        if (!mail) return
        if (mail.subscriberId !== undefined) await stores.subscribers.lock(mail.subscriberId)
        for (const { suppressed, ended } of await stores.bounces.takeBack(reference)) {
          const hashes = hashesOf(mail)
          if (suppressed && hashes.length > 0) await stores.suppressions.delete(hashes, ['bounced'])
          if (mail.subscriberId === undefined || !ended?.length) continue
          const newsletterIds = await stores.bounces.restoreSubscriptions(mail.subscriberId, ended)
          await stores.consents.insert({
            event: 'restored',
            newsletterIds,
            subscriberId: mail.subscriberId,
            reason: 'relay_refuses',
          })
        }
        log.info('a bounce was taken back: the relay refused everyone')
      }),

    recordBounce: (reference: MailReference, diagnosis: Diagnosis, isAllowed: Guard): Promise<void> =>
      recordBounce(reference, diagnosis, 'dsn', isAllowed),
    recordComplaint,
    unsubscribe,

    async receive(mail: ReturnedMail): Promise<void> {
      if (mail.kind === 'bounce') await recordReports(mail.reference, mail.reports)
      else if (mail.kind === 'complaint') await recordComplaint(mail.reference, mail.proof)
      else await unsubscribe(mail.reference)
    },
  }
}
