import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** What one process counts, for Prometheus. Labels come from closed sets: no address, no id, no path of a request. */
export interface Metrics {
  registry: Registry
  /** Seconds to answer, by method, route and status. */
  requests: Histogram<'method' | 'route' | 'status'>
  /** Seconds of a worker's job, by its name and how it ended. */
  jobs: Histogram<'job' | 'outcome'>
  /** Answers of the SMTP server, by kind of mail and outcome. */
  sends: Counter<'kind' | 'outcome'>
  /** Events of hosted relays, by provider and kind. */
  providerEvents: Counter<'provider' | 'kind'>
  /** 1 when the part answers, by `part`: postgres, queue, smtp. */
  up: Gauge<'part'>
  /** Age of the oldest work that waits, 0 when none does. */
  oldestWaitingSeconds: Gauge
  /** 1 while this database is a copy that sends nothing until confirmed. */
  held: Gauge
  digests: Gauge<'state'>
  digestsLate: Gauge
  digestsMissed: Gauge
  digestOldestDueSeconds: Gauge
  digestRejectShare: Gauge
  /** Of digests on their way. */
  deliveries: Gauge<'state'>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    requests: new Histogram({
      name: 'depeche_http_request_seconds',
      help: 'Time to answer a request.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    jobs: new Histogram({
      name: 'depeche_job_seconds',
      help: 'Time a worker took for a job.',
      labelNames: ['job', 'outcome'],
      buckets: [0.005, 0.05, 0.25, 1, 5, 30, 120, 600],
      registers,
    }),
    sends: new Counter({
      name: 'depeche_mails_total',
      help: 'Mails handed to the SMTP server, by outcome.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    providerEvents: new Counter({
      name: 'depeche_provider_events_total',
      help: 'Events that hosted relays reported, by kind.',
      labelNames: ['provider', 'kind'],
      registers,
    }),
    up: new Gauge({
      name: 'depeche_up',
      help: 'Whether a part that this process needs answers.',
      labelNames: ['part'],
      registers,
    }),
    oldestWaitingSeconds: new Gauge({
      name: 'depeche_oldest_waiting_seconds',
      help: 'Age of the oldest work that waits for a worker.',
      registers,
    }),
    held: new Gauge({
      name: 'depeche_held',
      help: 'Whether all mail is held because this database is a copy.',
      registers,
    }),
    ...digestGauges(registers),
  }
}

const digestGauges = (registers: Registry[]) => ({
  digests: new Gauge({
    name: 'depeche_digests',
    help: 'Digests by state.',
    labelNames: ['state'],
    registers,
  }),
  digestsLate: new Gauge({
    name: 'depeche_digests_late',
    help: 'Digests due for more than ten minutes and not sending.',
    registers,
  }),
  digestsMissed: new Gauge({
    name: 'depeche_digests_missed',
    help: 'Digests of the last day that could not start within two hours of their time.',
    registers,
  }),
  digestOldestDueSeconds: new Gauge({
    name: 'depeche_digest_oldest_due_seconds',
    help: 'How long the oldest due digest waits to start.',
    registers,
  }),
  digestRejectShare: new Gauge({
    name: 'depeche_digest_reject_share',
    help: 'The largest share of refusals among the answers to a digest on its way, 0 to 1.',
    registers,
  }),
  deliveries: new Gauge({
    name: 'depeche_deliveries',
    help: 'Deliveries of digests on their way, by state.',
    labelNames: ['state'],
    registers,
  }),
})

/** Memory, CPU, event loop lag: for processes that live, not for tests that build many contexts. */
export function collectProcessMetrics({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
