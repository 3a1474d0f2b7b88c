import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** What one process counts, for Prometheus. Labels come from closed sets: no address, no id, no path of a request. */
export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers })
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
    smtp: new Histogram({
      name: 'depeche_smtp_seconds',
      help: 'Time of a conversation with the SMTP server about one mail.',
      labelNames: ['kind'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
      registers,
    }),
    sends: counter('depeche_mails_total', 'Mails handed to the SMTP server, by outcome.', [
      'kind',
      'outcome',
    ]),
    providerEvents: counter('depeche_provider_events_total', 'Events that hosted relays reported, by kind.', [
      'provider',
      'kind',
    ]),
    /** 1 when the part answers: postgres, queue, smtp. */
    up: gauge('depeche_up', 'Whether a part that this process needs answers.', ['part']),
    /** 0 when none waits. */
    oldestWaitingSeconds: gauge(
      'depeche_oldest_waiting_seconds',
      'Age of the oldest work that waits for a worker.',
    ),
    obstacle: gauge('depeche_obstacle', 'Why workers that live send nothing, by cause.', ['cause']),
    rings: gauge('depeche_queue_waiting', 'Rings that no worker has heard yet.', ['queue']),
    feedLagSeconds: gauge(
      'depeche_feed_lag_seconds',
      'How long the oldest changed feed waits to be rendered.',
    ),
    connections: gauge('depeche_database_connections', 'Connections to PostgreSQL of this process.', [
      'pool',
      'state',
    ]),
    held: gauge('depeche_held', 'Whether all mail is held because this database is a copy.'),
    digests: gauge('depeche_digests', 'Digests by state.', ['state']),
    digestsLate: gauge('depeche_digests_late', 'Digests due for more than ten minutes and not sending.'),
    digestsMissed: gauge(
      'depeche_digests_missed',
      'Digests of the last day that could not start within two hours of their time.',
    ),
    digestOldestDueSeconds: gauge(
      'depeche_digest_oldest_due_seconds',
      'How long the oldest due digest waits to start.',
    ),
    digestRejectShare: gauge(
      'depeche_digest_reject_share',
      'The largest share of refusals among the answers to a digest on its way, 0 to 1.',
    ),
    deliveries: gauge('depeche_deliveries', 'Deliveries of digests on their way, by state.', ['state']),
  }
}

/** Memory, CPU, event loop lag: for processes that live, not for tests that build many contexts. */
export function collectProcessMetrics({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
