// From "checks are slow" to the phase, the server or the process that makes them slow.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { heatmap, stat, text, timeSeries } from './panels.ts'
import { envoySeries, orZero, quantile, rate, ROUTE, series, share, sum } from './queries.ts'

const CHECK = 'countersign_check_duration_seconds'
const PHASE = 'countersign_check_phase_duration_seconds'
const SERVER = 'countersign_dependency_request_duration_seconds'

const check = series(`${CHECK}_bucket`, ROUTE)
const allChecks = sum(rate(series(`${CHECK}_count`)))
const IN_TIME = 'outcome!="aborted"'

const percentile = (of: number) =>
  stat({
    title: `Check, p${of * 100}`,
    about: `Of a hundred checks, ${Math.round((1 - of) * 100)} take longer.`,
    unit: 's',
    thresholds: [
      [0.1, 'yellow'],
      [1, 'red'],
    ],
    query: quantile(of, check),
  })

const atAGlance = [
  percentile(0.5),
  percentile(0.9),
  percentile(0.99),
  stat({
    title: 'Within 10 ms',
    about: 'The share of checks that take no longer than 10 ms: what callers do not notice.',
    unit: 'percentunit',
    decimals: 1,
    query: share(
      rate(series(`${CHECK}_bucket`, ROUTE, 'le="0.01"')),
      rate(series(`${CHECK}_count`, ROUTE)),
    ),
  }),
  stat({
    title: 'Checks that wait',
    about:
      'The share of checks that need a server, a password hash or `state`. The rest needs memory alone. High: see "Found in the cache" of Credentials.',
    unit: 'percentunit',
    decimals: 1,
    query: share(
      rate(series(`${PHASE}_count`, 'phase="authenticate"')),
      rate(series(`${CHECK}_count`)),
    ),
    links: [linkTo('credentials', 'Credentials')],
  }),
  stat({
    title: 'In flight',
    about: 'Checks that are being decided. It grows while a server does not answer.',
    unit: 'none',
    query: sum(series('countersign_checks_in_flight')),
  }),
  text(
    '',
    'Read from the top: **how long** checks take → **which phase** makes them wait → **which server** that phase waits for. Where no phase explains it, it is **the process** itself.',
  ),
]

const howLong = [
  timeSeries({
    title: 'Checks',
    about:
      'From the arrival of the question to the answer. p50 is that of cached credentials; p99 that of the servers behind them.',
    unit: 's',
    exemplars: true,
    logarithmic: true,
    thresholds: [[1, 'red']],
    queries: { p50: quantile(0.5, check), p90: quantile(0.9, check), p99: quantile(0.99, check) },
  }),
  timeSeries({
    title: 'By route, p99',
    about:
      'One check in a hundred takes longer. One route alone: its authenticators, or its `forward`. A click chooses the route.',
    unit: 's',
    exemplars: true,
    queries: { '{{route}}': quantile(0.99, check, 'route') },
    links: [linkTo('latency', 'Only ${__field.labels.route}', { route: 'route' })],
  }),
  heatmap({
    title: 'Distribution',
    about:
      'Checks a second, by duration. Two bands are the rule: cached credentials, and those that have to be verified.',
    unit: 's',
    width: 8,
    query: sum(rate(check), 'le'),
  }),
]

const phases = [
  timeSeries({
    title: 'Waiting for each check, mean',
    about:
      'The mean time that a check waits in each phase, all checks included: the sum is what could be saved. `authenticate`: verifying credentials; `authorize`: access reviews; `transform`: tokens for the upstream. Not by route: phases have no route.',
    unit: 's',
    stacked: true,
    queries: {
      '{{phase}}': `${sum(rate(series(`${PHASE}_sum`)), 'phase')} / on () group_left () ${allChecks}`,
    },
  }),
  timeSeries({
    title: 'Phases that wait, p99',
    about:
      'Of the checks that wait in a phase, one in a hundred waits longer. `authenticate` is high: "Servers, p99" below, or password hashes, which take the CPU. `transform` is high: token endpoints.',
    unit: 's',
    exemplars: true,
    queries: { '{{phase}}': quantile(0.99, series(`${PHASE}_bucket`), 'phase') },
    links: [linkTo('dependencies', 'Dependencies')],
  }),
  timeSeries({
    title: 'Checks that wait, by phase',
    about:
      'The share of checks that wait in each phase. It rises after a restart, while the cache is empty, and with new users.',
    unit: 'percentunit',
    queries: {
      '{{phase}}': `${sum(rate(series(`${PHASE}_count`)), 'phase')} / on () group_left () ${allChecks}`,
    },
    links: [linkTo('credentials', 'Credentials')],
  }),
]

const servers = [
  timeSeries({
    title: 'Servers: time for each check, mean',
    about:
      'The mean time for each check that each kind of server takes, all checks included: the tallest is the one to improve. Requests of one check that run at the same time are added.',
    unit: 's',
    stacked: true,
    queries: {
      '{{kind}}': `${sum(rate(series(`${SERVER}_sum`)), 'kind')} / on () group_left () ${allChecks}`,
    },
    links: [linkTo('dependencies', '${__field.labels.kind}', { kind: 'kind' })],
  }),
  timeSeries({
    title: 'Servers, p99',
    about:
      'Of the requests to a server, one in a hundred takes longer; without time in a queue of authz. A click opens the server.',
    unit: 's',
    exemplars: true,
    thresholds: [[1, 'red']],
    queries: {
      '{{kind}} {{server}}': quantile(0.99, series(`${SERVER}_bucket`, IN_TIME), 'kind, server'),
    },
    links: [linkTo('dependencies', '${__field.labels.kind}', { kind: 'kind' })],
  }),
  timeSeries({
    title: 'Not sent, by reason',
    about:
      'Requests that authz did not send. `overloaded`: too many wait already, so add servers or raise the limit; `circuit-open`: the server is down.',
    unit: 'reqps',
    queries: {
      '{{kind}}: {{reason}}': sum(
        rate(series('countersign_dependency_refusals_total')),
        'kind, reason',
      ),
    },
  }),
]

const process = [
  timeSeries({
    title: 'Event loop lag, p99',
    about:
      'A lag delays every check of that process. Above 0.1 s: add a process (docs/operate/sizing.md, "CPU").',
    unit: 's',
    thresholds: [[0.1, 'red']],
    queries: {
      '{{pod}} {{instance}}': `max by (pod, instance) (${series('nodejs_eventloop_lag_p99_seconds')})`,
    },
    links: [linkTo('runtime', 'Runtime')],
  }),
  timeSeries({
    title: 'CPU',
    about: 'Cores. authz decides on one core: near 1, checks wait for each other. Add a process.',
    unit: 'none',
    thresholds: [[0.8, 'red']],
    queries: {
      '{{pod}} {{instance}}': sum(rate(series('process_cpu_seconds_total')), 'pod, instance'),
    },
    links: [linkTo('runtime', 'Runtime')],
  }),
  timeSeries({
    title: 'Envoy waits for authz, p99',
    about:
      'The same checks as Envoy measures them. Much more than "Checks": the network between them, the queue of Envoy, or authz has too little CPU to read.',
    unit: 'ms',
    queries: {
      Envoy: quantile(
        0.99,
        envoySeries(
          'envoy_cluster_upstream_rq_time_bucket',
          'envoy_cluster_name="countersign_authz"',
        ),
      ),
      authz: `1000 * ${quantile(0.99, series(`${CHECK}_bucket`))}`,
    },
  }),
  timeSeries({
    title: 'Envoy: checks without an answer',
    about:
      'Checks that Envoy repeated (`retried`), gave up (`timed out`), or could not send. They are not in the metrics of authz.',
    unit: 'reqps',
    width: 24,
    height: 6,
    queries: Object.fromEntries(
      Object.entries({
        retried: 'envoy_cluster_upstream_rq_retry',
        'timed out': 'envoy_cluster_upstream_rq_timeout',
        'no connection': 'envoy_cluster_upstream_cx_connect_fail',
      }).map(([name, metric]) => [
        name,
        orZero(sum(rate(envoySeries(metric, 'envoy_cluster_name="countersign_authz"')))),
      ]),
    ),
  }),
]

/** The dashboard. */
export const latency: Dashboard = {
  name: 'latency',
  title: 'Latency by phase',
  about: 'How long checks take, and which phase, server or process makes them slow.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'How long', panels: howLong },
    { title: 'Which phase', panels: phases },
    { title: 'Which server', panels: servers },
    { title: 'The process, and the way to it', panels: process },
  ],
}
