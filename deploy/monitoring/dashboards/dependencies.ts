// The servers that authz calls: directories, RADIUS, issuers, API servers, OCSP and CRLs, and the store.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { heatmap, stat, table, timeline, timeSeries } from './panels.ts'
import { grown, orZero, quantile, rate, ROUTE, series, share, sum, UNAVAILABLE } from './queries.ts'

const DURATION = 'countersign_dependency_request_duration_seconds'
const KIND = 'kind=~"$kind"'
const ANSWERED = 'outcome!="aborted"'

const requests = (...matchers: readonly string[]) =>
  rate(series(`${DURATION}_count`, KIND, ...matchers))
const durations = series(`${DURATION}_bucket`, KIND, ANSWERED)

const atAGlance = [
  stat({
    title: 'Servers that are down',
    about:
      'Servers whose circuit breaker is open: after failures in a row, authz does not ask for a while, and refuses at once. "Availability" has the names.',
    unit: 'none',
    thresholds: [[1, 'red']],
    query: `sum(1 - ${series('countersign_dependency_up', 'kind=~"$kind|state"')})`,
  }),
  stat({
    title: 'Failed',
    about: 'The share of requests without a usable answer in time.',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [
      [0.01, 'yellow'],
      [0.05, 'red'],
    ],
    query: share(requests('outcome="failed"'), requests()),
  }),
  stat({
    title: 'p99 of all',
    about: 'Of the requests to servers, one in a hundred takes longer. "Slowest" has the server.',
    unit: 's',
    thresholds: [
      [0.25, 'yellow'],
      [1, 'red'],
    ],
    query: quantile(0.99, durations),
  }),
  stat({
    title: 'Requests',
    about: 'Requests to servers and operations on the store, a second.',
    unit: 'reqps',
    query: sum(requests()),
  }),
  stat({
    title: 'Not sent',
    about: 'Requests a second that authz did not send. "Not sent, by reason" has the reasons.',
    unit: 'reqps',
    thresholds: [[0.1, 'yellow']],
    query: orZero(sum(rate(series('countersign_dependency_refusals_total', KIND)))),
  }),
  stat({
    title: 'Store',
    about:
      'Whether every process can use the store of `state` (docs/operate/state.md, "When the store is unreachable").',
    unit: 'none',
    query: `min(${series('countersign_state_up')})`,
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
    links: [linkTo('logins', 'Logins and sessions')],
  }),
]

const now = [
  timeline({
    title: 'Availability',
    about:
      'Down while the circuit breaker is open. `countersign doctor`, where authz runs, says why a server cannot be used. Down in one process alone: its network.',
    query: `min by (kind, server, authenticator, route) (${series('countersign_dependency_up', 'kind=~"$kind|state"')})`,
    legend: '{{kind}} {{server}} {{authenticator}}{{route}}',
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
  }),
  table({
    title: 'Slowest, p99',
    about:
      'The p99 of each operation of each server. LDAP `search` slow and `bind` fast: an index is missing.',
    unit: 's',
    thresholds: [
      [0.25, 'yellow'],
      [1, 'red'],
    ],
    query: `${quantile(0.99, durations, 'kind, server, operation')} > 0`,
    columns: { kind: 'Kind', server: 'Server', operation: 'Operation' },
    value: 'p99',
  }),
]

const duration = [
  timeSeries({
    title: 'p99 by server',
    about: 'Without the time in a queue of authz, so a value is of the server and of the network.',
    unit: 's',
    exemplars: true,
    logarithmic: true,
    thresholds: [[1, 'red']],
    queries: { '{{kind}} {{server}}': quantile(0.99, durations, 'kind, server') },
  }),
  timeSeries({
    title: 'p50 by server',
    about: 'High as p99 is: the server is slow for all. Low: only some requests are slow.',
    unit: 's',
    logarithmic: true,
    queries: { '{{kind}} {{server}}': quantile(0.5, durations, 'kind, server') },
  }),
  heatmap({
    title: 'Distribution',
    about: 'Requests a second, by duration. Choose a kind above.',
    unit: 's',
    width: 8,
    query: sum(rate(durations), 'le'),
  }),
]

const outcomes = [
  timeSeries({
    title: 'Requests by server',
    about:
      'Requests a second. Most checks need none: a rise without more traffic is an empty cache, see Credentials.',
    unit: 'reqps',
    queries: { '{{kind}} {{server}}': sum(requests(), 'kind, server') },
    links: [linkTo('credentials', 'Credentials')],
  }),
  timeSeries({
    title: 'Failed, by server',
    about: 'The share of requests without a usable answer in time.',
    unit: 'percentunit',
    max: 1,
    thresholds: [[0.05, 'red']],
    queries: {
      '{{kind}} {{server}}': share(requests('outcome="failed"'), requests(), 'kind, server'),
    },
  }),
  timeSeries({
    title: 'Not sent, by reason',
    about:
      '`circuit-open`: the server was down; `overloaded`: too many requests waited already; `rate-limited`: a caller over its budget; `cached`: the same credential has just failed.',
    unit: 'reqps',
    queries: {
      '{{kind}} {{server}}: {{reason}}': sum(
        rate(series('countersign_dependency_refusals_total', KIND)),
        'kind, server, reason',
      ),
    },
  }),
]

const consequences = [
  timeSeries({
    title: 'What callers notice',
    about: 'Checks that are answered by 503 since a server does not answer.',
    unit: 'reqps',
    queries: {
      '{{route}}: {{reason}}': sum(
        rate(series('countersign_decisions_total', ROUTE, UNAVAILABLE)),
        'route, reason',
      ),
    },
    links: [linkTo('requests', 'Requests and decisions', { route: 'route' })],
  }),
  timeSeries({
    title: 'Fetches of keys that failed, in this range',
    about: 'By source. The keys of before stay in use until they are a day old.',
    unit: 'short',
    queries: {
      '{{source}}': sum(
        grown(series('countersign_token_key_fetches_total', 'result="failed"')),
        'source',
      ),
    },
    links: [linkTo('credentials', 'Credentials')],
  }),
  timeSeries({
    title: 'Spans for the collector of traces',
    about:
      '`lost`: the collector did not take them; `dropped`: too many came at once. Checks and issuances do not wait for it.',
    unit: 'cps',
    queries: {
      '{{outcome}}': sum(rate(series('countersign_spans_total')), 'outcome'),
      'signer: {{outcome}}': sum(rate(series('countersign_signer_spans_total')), 'outcome'),
    },
  }),
]

/** The dashboard. */
export const dependencies: Dashboard = {
  name: 'dependencies',
  title: 'Dependencies',
  about:
    'Whether the servers that authz calls answer, how fast, and what callers notice when they do not.',
  variables: [{ name: 'kind', label: 'Kind', metric: series(`${DURATION}_count`) }],
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'Now', panels: now },
    { title: 'How long they take', panels: duration },
    { title: 'Outcomes of requests', panels: outcomes },
    { title: 'Consequences', panels: consequences },
  ],
}
