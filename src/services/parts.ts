import type { SendingTimes } from '../domain/delivery/sending-times.ts'
import type { Config } from '../config.ts'
import type { Keyring } from '../domain/keyring.ts'
import type { Logger } from '../log.ts'
import type { FeedWriter } from '../feeds/writer.ts'
import type { Doorbell, ProbedDoorbell } from '../queue/enqueue.ts'
import type { Mail } from '../mail/mail.ts'
import type { MailHost } from '../mail/mail-host.ts'
import type { Providers } from '../mail/providers/providers.ts'
import type { Signer } from '../mail/message/sign.ts'
import type { Transport } from '../mail/smtp/transport.ts'
import type { Database } from '../store/database.ts'
import type { Clock } from './clock.ts'
import type { Budget } from './delivery/sending-budget.ts'
import type { SiteReader } from './sources/site.ts'
import type { ReachPoint } from './delivery/kill-points.ts'
import type { Writers } from './delivery/send-one.ts'

/** What services are made of; each takes the few it needs. */
export interface Parts {
  config: Config
  log: Logger
  database: Database
  /** The same for what readers ask: a desk that waits for something never keeps the public site waiting. */
  readers: Database
  doorbell: Doorbell
  keyring: Keyring
  /** From a frozen digest, or a reason to write to someone, to bytes. */
  mail: Mail
  signer: Signer
  feedWriter: FeedWriter
  /** Two, so that personal mail never waits behind a digest. */
  transports: { digests: Transport; personal: Transport }
  sendingTimes: SendingTimes
  /** What the relay allows; undefined where it sets no limit. */
  budget: Budget | undefined
  /** Where tests write the messages themselves. */
  writers?: Writers | undefined
  /** Whether the servers we use answer; a rejection is a no. */
  probes: {
    queue: ProbedDoorbell['probe']
    rings: ProbedDoorbell['countWaiting']
    smtp: (smtpUrl: string, timeoutMs: number) => Promise<boolean>
    /** @throws where it does not answer */
    server: (url: string) => Promise<{ isPooled: boolean; losesCommits: boolean }>
  }
  /** Whether a domain can be mailed at all; never withholds a mail. */
  findMailHost: (domain: string) => Promise<MailHost>
  /** Whose events are read. */
  providers: Providers
  /** GET of a public URL that a provider names: 10 seconds, 64 kB, no redirect. */
  fetchForProvider: (url: string) => Promise<{ body: Buffer }>
  /** GET of a page of another site that links here: 10 seconds, 1 MB, 3 redirects. */
  fetchPage: (url: string) => Promise<{ url: string; body: Buffer }>
  /** The same of a picture: 5 seconds, 5 MB. */
  fetchPicture: (url: string) => Promise<{ body: Buffer }>
  /** What is followed. */
  sites: SiteReader
  /** Whether PDFs are made here: the compiler is an optional dependency. */
  hasEditions: boolean
  /** Tells a cache in front of us which paths have changed. */
  purge: (paths: readonly string[]) => Promise<void>
  now: Clock['now']
  clock: Clock
  /** Called at every step of every mail and signup: tests end the process there. */
  reach: ReachPoint
}
