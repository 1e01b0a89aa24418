// Logins, sessions, the token endpoint, and the store behind them.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { stat, timeline, timeSeries } from './panels.ts'
import { envoySeries, grown, orZero, quantile, rate, series, share, sum } from './queries.ts'

const logins = (...matchers: readonly string[]) =>
  rate(series('countersign_logins_total', ...matchers))
const ofRange = (metric: string, ...matchers: readonly string[]) =>
  orZero(sum(grown(series(metric, ...matchers))))

const atAGlance = [
  stat({
    title: 'Logins',
    about: 'Logins that succeeded in this range.',
    unit: 'short',
    decimals: 0,
    query: ofRange('countersign_logins_total', 'outcome="succeeded"'),
  }),
  stat({
    title: 'Refused logins',
    about:
      'The share of login attempts that are refused. Half of them or more: a directory rejects everything, or passwords are guessed.',
    unit: 'percentunit',
    decimals: 0,
    thresholds: [
      [0.3, 'yellow'],
      [0.6, 'red'],
    ],
    query: share(logins('outcome="refused"'), logins()),
  }),
  stat({
    title: 'Sessions begun',
    about:
      'Browser sessions that began on routes in this range. Many more than logins: users lose their cookie (docs/operate/troubleshooting.md, "Users have to log in again and again").',
    unit: 'short',
    decimals: 0,
    query: ofRange('countersign_sessions_begun_total'),
  }),
  stat({
    title: 'Logged in',
    about:
      'Logins that have not ended. A fall to a fraction: a rollback of the store, or `countersign sessions end`.',
    unit: 'short',
    query: `max(${series('countersign_sessions', 'kind="login"')})`,
  }),
  stat({
    title: 'Room used in state',
    about:
      'Of the kind of record that has the least room left. Above 90 %: docs/operate/state.md, "When the store is full".',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [
      [0.75, 'yellow'],
      [0.9, 'red'],
    ],
    query: `max(${series('countersign_state_bytes')} / ${series('countersign_state_max_bytes')})`,
  }),
  stat({
    title: 'Store',
    about:
      'Whether every process can use the store of `state`. Down: sessions and logins are refused (docs/operate/state.md, "When the store is unreachable").',
    unit: 'none',
    query: `min(${series('countersign_state_up')})`,
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
    links: [linkTo('dependencies', 'Dependencies')],
  }),
]

const attempts = [
  timeSeries({
    title: 'Logins by method and outcome',
    about:
      '`challenged`: a second factor was required. A method without `succeeded`: its directory, its CA or its provider.',
    unit: 'cps',
    stacked: true,
    queries: { '{{login_method}}: {{outcome}}': sum(logins(), 'login_method, outcome') },
  }),
  timeSeries({
    title: 'Refused logins by reason',
    about:
      'docs/reference/reasons.md has the cause and the remedy of each. Many `too-many-attempts`: passwords are guessed; the audit log has the sources.',
    unit: 'cps',
    queries: {
      '{{login_method}}: {{reason}}': sum(logins('outcome="refused"'), 'login_method, reason'),
    },
  }),
  timeSeries({
    title: 'Lock-outs in force',
    about:
      'By what is locked out: a user at a source, a user, or a source. Many sources: an attack, or a gateway behind which many users are; the audit log has them.',
    unit: 'short',
    queries: { '{{kind}}': `max by (kind) (${series('countersign_lockouts')})` },
  }),
]

const sessions = [
  timeSeries({
    title: 'Sessions that exist',
    about:
      'Of browsers on routes (browser), at the login page (login), of clients with their refresh tokens (grant), and device codes that wait. Of the store, so every process reports the same.',
    unit: 'short',
    width: 6,
    queries: { '{{kind}}': `max by (kind) (${series('countersign_sessions')})` },
  }),
  timeSeries({
    title: 'Sessions begun and logouts',
    about:
      'Sessions that began on routes, and logouts by what they ended: `current` this browser, `one` another one, `all` of a user, `all-users` by an operator.',
    unit: 'cps',
    width: 6,
    queries: {
      begun: sum(rate(series('countersign_sessions_begun_total'))),
      'logout: {{which}}': sum(rate(series('countersign_logouts_total')), 'which'),
    },
  }),
  timeSeries({
    title: 'Logins rechecked',
    about:
      'Logins that were rechecked and stay, and those that ended: `recheck`, the user may no longer log in; `not-renewed` and `upstream-logout`, by their provider. A sudden rise of ended logins: the directory or the provider answers wrongly.',
    unit: 'cps',
    width: 6,
    queries: {
      'renewed: {{login_method}}': sum(
        rate(series('countersign_logins_renewed_total')),
        'login_method',
      ),
      'ended: {{login_method}}, {{cause}}': sum(
        rate(series('countersign_logins_ended_total')),
        'login_method, cause',
      ),
    },
  }),
  timeSeries({
    title: 'Logout tokens',
    about:
      'Notices of logouts to clients with `backchannelLogout`. `failed`: the client does not answer, and its sessions stay.',
    unit: 'cps',
    width: 6,
    queries: { '{{outcome}}': sum(rate(series('countersign_logout_tokens_total')), 'outcome') },
  }),
]

const tokens = [
  timeSeries({
    title: 'Tokens issued',
    about: 'Successful answers of the token endpoint, by grant type.',
    unit: 'cps',
    width: 6,
    stacked: true,
    queries: {
      '{{grant_type}}': sum(rate(series('countersign_tokens_issued_total')), 'grant_type'),
    },
  }),
  timeSeries({
    title: 'Refusals of the token endpoint',
    about:
      'By error (RFC 6749 §5.2). `invalid_client`: a secret was rotated on one side only; `invalid_grant`: codes or refresh tokens that have ended; `authorization_pending` is the rule while users enter a device code.',
    unit: 'cps',
    width: 6,
    queries: { '{{error}}': sum(rate(series('countersign_token_refusals_total')), 'error') },
  }),
  timeSeries({
    title: 'Device codes',
    about:
      'Requested by clients and entered by users. Many `unknown` or `limited`: codes are guessed.',
    unit: 'cps',
    width: 6,
    queries: {
      '{{step}}: {{outcome}}': sum(rate(series('countersign_device_codes_total')), 'step, outcome'),
    },
  }),
  timeSeries({
    title: 'Pages of the login, p99',
    about: 'How long authz takes for pages and the token endpoint, as Envoy measures it.',
    unit: 'ms',
    width: 6,
    queries: {
      'login and token endpoint': quantile(
        0.99,
        envoySeries(
          'envoy_cluster_upstream_rq_time_bucket',
          'envoy_cluster_name="countersign_issuer"',
        ),
      ),
    },
  }),
]

const state = [
  timeSeries({
    title: 'Room used, by kind',
    about:
      'Of the room of each kind of record. `login`: logins, sessions and refresh tokens; at 100 % new logins are refused. `anonymous` and `public` evict their oldest.',
    unit: 'percentunit',
    width: 6,
    max: 1,
    thresholds: [[0.9, 'red']],
    queries: {
      '{{kind}}': `max by (kind) (${series('countersign_state_bytes')} / ${series('countersign_state_max_bytes')})`,
    },
  }),
  timeSeries({
    title: 'Size of the store',
    about:
      'Its size, and the largest that it may have: `maxBytes` of SQLite, `maxmemory` of Redis. Full: logins and sessions are refused (docs/operate/state.md, "When the store is full").',
    unit: 'bytes',
    width: 6,
    queries: {
      used: `max(${series('countersign_state_store_bytes')})`,
      most: `max(${series('countersign_state_store_max_bytes')})`,
    },
  }),
  timeSeries({
    title: 'Operations on the store, p99',
    about:
      'Sessions and logins wait for them. High with SQLite: the disk; with Redis: the network, or Redis is busy.',
    unit: 's',
    width: 6,
    exemplars: true,
    queries: {
      '{{kind}} {{operation}}': quantile(
        0.99,
        series('countersign_dependency_request_duration_seconds_bucket', 'kind=~"redis|sqlite"'),
        'kind, operation',
      ),
    },
    links: [linkTo('dependencies', 'Dependencies', { kind: 'kind' })],
  }),
  timeSeries({
    title: 'Lost records',
    about:
      '`evicted`: records of unauthenticated clients, since the store is full. `not decrypted`: modified, or sealed with a key that is no longer in the keyring. `rolled back`: the store went back to an earlier state (docs/operate/backup.md, "Restore").',
    unit: 'short',
    width: 6,
    queries: {
      evicted: sum(grown(series('countersign_state_dropped_total'))),
      'not decrypted': sum(grown(series('countersign_state_decryption_failures_total'))),
      'rolled back': orZero(sum(grown(series('countersign_state_rollbacks_total')))),
    },
  }),
  timeSeries({
    title: 'Keys in Redis',
    about: 'With those of other clients of the same database. Absent for other stores.',
    unit: 'short',
    width: 6,
    height: 5,
    queries: { keys: `max(${series('countersign_state_store_keys')})` },
  }),
  timeline({
    title: 'Store, as each process sees it',
    about: 'One process alone: its network or its disk. All of them: the store.',
    width: 18,
    height: 5,
    query: `min by (pod, instance, kind) (${series('countersign_state_up')})`,
    legend: '{{kind}} {{pod}} {{instance}}',
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
  }),
]

/** The dashboard. */
export const loginsAndSessions: Dashboard = {
  name: 'logins',
  title: 'Logins and sessions',
  about: 'Who can log in, how sessions and tokens end, and whether the store has room.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'Logins', panels: attempts },
    { title: 'Sessions', panels: sessions },
    { title: 'Token endpoint', panels: tokens },
    { title: 'State', panels: state },
  ],
}
