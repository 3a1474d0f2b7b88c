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
  /** 1 when the part answers, by `part`: postgres, queue, smtp. */
  up: Gauge<'part'>
  /** Age of the oldest work that waits, 0 when none does. */
  oldestWaitingSeconds: Gauge
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
  }
}

/** Memory, CPU, event loop lag: for processes that live, not for tests that build many contexts. */
export function collectProcessMetrics({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
