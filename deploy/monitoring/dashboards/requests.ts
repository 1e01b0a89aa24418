// Which requests there are, what is decided, and why: the first dashboard to open.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { stat, table, timeSeries } from './panels.ts'
import {
  envoySeries,
  grown,
  orZero,
  quantile,
  rate,
  ROUTE,
  series,
  share,
  sum,
  UNAVAILABLE,
} from './queries.ts'

const decisions = (...matchers: readonly string[]) =>
  rate(series('countersign_decisions_total', ROUTE, ...matchers))
const check = quantile(0.99, series('countersign_check_duration_seconds_bucket', ROUTE))

const atAGlance = [
  stat({
    title: 'Checks',
    about:
      'Decisions a second of the chosen routes. A sudden fall without a fall of traffic at Envoy: see "Answers of Envoy" below.',
    unit: 'reqps',
    query: sum(decisions()),
  }),
  stat({
    title: 'Refused',
    about:
      'The share of checks that are refused. What is normal depends on the routes: a browser without a session counts, too. "Refusals by reason" has the reasons.',
    unit: 'percentunit',
    query: share(decisions('decision="deny"'), decisions()),
  }),
  stat({
    title: 'Could not be decided',
    about:
      'The share of checks that are answered by 503 since something does not answer. Above 0: open Dependencies; docs/operate/troubleshooting.md, "Every request gets 503".',
    unit: 'percentunit',
    thresholds: [
      [0.000_1, 'yellow'],
      [0.01, 'red'],
    ],
    query: share(decisions(UNAVAILABLE), decisions()),
    links: [linkTo('dependencies', 'Dependencies')],
  }),
  stat({
    title: 'Check, p99',
    about:
      'One check in a hundred takes longer, between the arrival of the question and the answer. When it is high, open Latency by phase.',
    unit: 's',
    thresholds: [
      [0.1, 'yellow'],
      [1, 'red'],
    ],
    query: check,
    links: [linkTo('latency', 'Latency by phase')],
  }),
  stat({
    title: 'Processes that answer',
    about:
      'Processes of authz and of the signer whose metrics Prometheus can read. Fewer than you run: docs/operate/troubleshooting.md, "authz or the signer does not start".',
    unit: 'none',
    query: `count(${series('countersign_build_info')})`,
    links: [linkTo('runtime', 'Runtime')],
  }),
  stat({
    title: 'Alerts',
    about:
      'Alerts of Countersign that are pending or firing. They are listed at the end of this page.',
    unit: 'none',
    thresholds: [[1, 'red']],
    query: orZero('count(ALERTS{alertname=~"Countersign.*", namespace=~"$namespace"})'),
  }),
]

const decided = [
  timeSeries({
    title: 'Decisions',
    about: 'Checks a second, by decision.',
    unit: 'reqps',
    stacked: true,
    queries: { '{{decision}}': sum(decisions(), 'decision') },
  }),
  timeSeries({
    title: 'Refusals by reason',
    about:
      'The ten most frequent reasons. `countersign reason CODE` and docs/reference/reasons.md have the cause and the remedy of each.',
    unit: 'reqps',
    queries: { '{{reason}}': `topk(10, ${sum(decisions('decision="deny"'), 'reason')})` },
  }),
  timeSeries({
    title: 'Not decided, by reason',
    about:
      'Checks that are answered by 503. `authenticator-unavailable`: a server that verifies credentials; `transform-unavailable`: one that issues tokens; `audit-unavailable`: the disk of the audit log; `deadline-exceeded`: see Latency by phase; `internal-error`: the log of authz.',
    unit: 'reqps',
    queries: { '{{route}}: {{reason}}': sum(decisions(UNAVAILABLE), 'route, reason') },
    links: [linkTo('dependencies', 'Dependencies')],
  }),
]

const routes = [
  timeSeries({
    title: 'Checks by route',
    about: 'Checks a second. The route `-` has the requests for which there is no route.',
    unit: 'reqps',
    stacked: true,
    queries: { '{{route}}': sum(decisions(), 'route') },
    links: [linkTo('latency', 'Latency of ${__field.labels.route}', { route: 'route' })],
  }),
  timeSeries({
    title: 'Refused, by route',
    about:
      'The share of the checks of each route that are refused. A step at the time of "Configuration loaded": compare the rules of both configurations with `countersign replay`.',
    unit: 'percentunit',
    max: 1,
    queries: { '{{route}}': share(decisions('decision="deny"'), decisions(), 'route') },
  }),
  timeSeries({
    title: 'Check by route, p99',
    about: 'One check in a hundred takes longer. A click on a route opens its phases.',
    unit: 's',
    queries: {
      '{{route}}': quantile(
        0.99,
        series('countersign_check_duration_seconds_bucket', ROUTE),
        'route',
      ),
    },
    exemplars: true,
    links: [linkTo('latency', 'Latency of ${__field.labels.route}', { route: 'route' })],
  }),
]

const rules = [
  table({
    title: 'Rules, in this range',
    about:
      'How often each rule decided. `failed`: it could not be evaluated, and the request was refused. A rule that never decides: `countersign validate` may say why.',
    unit: 'short',
    decimals: 0,
    query: `${sum(grown(series('countersign_rule_decisions_total', ROUTE)), 'route, rule, decision')} > 0`,
    columns: { route: 'Route', rule: 'Rule', decision: 'Decision' },
    value: 'Requests',
  }),
  table({
    title: 'Rules in shadow that would change a decision, in this range',
    about:
      'Requests that a rule in shadow would have decided differently. None in a week of traffic: the rule can be put in force.',
    unit: 'short',
    decimals: 0,
    query: `${sum(
      `${grown(series('countersign_shadow_decisions_total', ROUTE, 'decision="deny"', 'decided="allow"'))} or ${grown(series('countersign_shadow_decisions_total', ROUTE, 'decision="allow"', 'decided="deny"'))}`,
      'route, rule, decision, decided',
    )} > 0`,
    columns: { route: 'Route', rule: 'Rule', decision: 'Would', decided: 'Decided' },
    value: 'Requests',
  }),
]

const envoy = [
  timeSeries({
    title: 'Answers of Envoy',
    about:
      'What callers get, by class of status. Many 5xx with few checks that are not decided: the upstream, or Envoy cannot reach authz.',
    unit: 'reqps',
    stacked: true,
    queries: {
      '{{envoy_response_code_class}}xx': sum(
        rate(envoySeries('envoy_http_downstream_rq_xx', 'envoy_http_conn_manager_prefix!="admin"')),
        'envoy_response_code_class',
      ),
    },
  }),
  timeSeries({
    title: 'ext_authz, as Envoy counts it',
    about:
      'Checks by their result at Envoy. `error`: no answer of authz in time, and the request is refused. `failure_mode_allowed` must never be there: `countersign envoy lint` finds the setting.',
    unit: 'reqps',
    queries: Object.fromEntries(
      ['ok', 'denied', 'error', 'failure_mode_allowed'].map((result) => [
        result,
        sum(rate(envoySeries(`envoy_http_ext_authz_${result}`))),
      ]),
    ),
  }),
  timeSeries({
    title: 'Upstreams, p99',
    about:
      'How long the applications behind Envoy take, without the check. It is high and "Check, p99" is not: the application is slow.',
    unit: 'ms',
    queries: {
      '{{envoy_cluster_name}}': quantile(
        0.99,
        envoySeries('envoy_cluster_upstream_rq_time_bucket', 'envoy_cluster_name!~"countersign.*"'),
        'envoy_cluster_name',
      ),
    },
  }),
]

const alerts = [
  table({
    title: 'Alerts',
    about:
      'Alerts of Countersign that are pending or firing. docs/operate/monitoring.md, "Alert", says what to do for each.',
    unit: 'none',
    width: 24,
    height: 6,
    query: 'ALERTS{alertname=~"Countersign.*", namespace=~"$namespace"}',
    columns: {
      alertname: 'Alert',
      alertstate: 'State',
      severity: 'Severity',
      job: 'Job',
      instance: 'Instance',
      reason: 'Reason',
      kind: 'Kind',
      server: 'Server',
    },
  }),
]

/** The dashboard. */
export const requests: Dashboard = {
  name: 'requests',
  title: 'Requests and decisions',
  about: 'Which requests there are, what is decided, and why. Start here.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'Decisions', panels: decided },
    { title: 'Routes', panels: routes },
    { title: 'Rules', panels: rules },
    { title: 'Envoy', panels: envoy },
    { title: 'Alerts', panels: alerts },
  ],
}
