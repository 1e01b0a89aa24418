// The metrics of authz.

import type { CacheEntries, CredentialCache } from '../authenticate/credential-cache.ts'
import type { KeySets } from '../authenticate/bearer/key-sets.ts'
import type { Clock } from '../runtime/clock.ts'
import { AUTHENTICATOR_SERVERS, ROUTE_SERVERS } from '../runtime/server-kinds.ts'
import { counter, gauge, histogram, type Metric, type Sample } from '../runtime/metrics/metric.ts'
import type { StoreHealth } from '../state/opened-state.ts'
import type { TokenCache } from '../transform/token/token-cache.ts'
import type { Dependency } from '../clients/parts.ts'
import type { Snapshot } from './snapshot.ts'
import { RULE_DECISIONS, type CheckStatistics, type RouteStatistics } from './statistics.ts'
import { stateMetrics } from './state-metrics.ts'
import { tokenMetrics } from './token-metrics.ts'

/** What is counted, and where. */
export interface AuthzParts {
  readonly checks: CheckStatistics
  readonly credentialCache: Pick<CredentialCache, 'statistics'>
  readonly keySets: Pick<KeySets, 'statuses'>
  readonly tokens: Pick<TokenCache, 'statistics'>
  readonly store: StoreHealth
  readonly current: () => { readonly value: Pick<Snapshot, 'dependencies' | 'seal' | 'issuer'> }
  readonly clock: Clock
}

/** The metrics of one authz process, without those that the signer has too. */
export const authzMetrics = (parts: AuthzParts): readonly Metric[] => [
  ...checkMetrics(parts.checks),
  ...credentialCacheMetrics(parts.credentialCache),
  ...keyMetrics(parts.keySets),
  ...tokenMetrics({ ...parts, now: () => parts.clock.now() }),
  ...stateMetrics(parts.store),
  ...snapshotMetrics(parts),
]

// Values of labels, for the reference.
const ROUTE = 'the routes of the configuration (`-` where no route was found)'
const RULE = 'the rules of the route'
const AUTHENTICATOR = 'the authenticators of the configuration'
const DECISIONS = ['allow', 'deny'] as const
const KIND = { kind: ['proof', 'rejection'] } as const
const SOURCE = { source: 'URLs of key sets and issuers, or files, without a query' }
const SERVER = {
  authenticator: `${AUTHENTICATOR} (absent where a route or \`state\` uses the server)`,
  route:
    'the routes of the configuration; absent where an authenticator or `state` uses the server',
  kind: [
    ...AUTHENTICATOR_SERVERS,
    ...ROUTE_SERVERS,
    'state',
  ] satisfies readonly Dependency['kind'][],
  server: 'the server, as it is configured, without secrets',
} as const

const checkMetrics = (checks: CheckStatistics): readonly Metric[] => {
  const perRoute = <T>(
    samples: (route: string, statistics: RouteStatistics) => readonly Sample<T>[],
  ): (() => readonly Sample<T>[]) => {
    return () => [...checks.routes].flatMap(([route, statistics]) => samples(route, statistics))
  }
  return [
    counter(
      'countersign_decisions_total',
      'Checks, by decision and reason. The reasons are those of the audit log.',
      perRoute((route, { reasons }) =>
        [...reasons].map(([reason, value]) => {
          const decision = reason === 'permitted' ? 'allow' : 'deny'
          return { labels: { route, decision, reason }, value }
        }),
      ),
      { route: ROUTE, decision: DECISIONS, reason: 'the reasons of decisions' },
    ),
    histogram(
      'countersign_check_duration_seconds',
      'Duration of a check, from its arrival to its answer.',
      perRoute((route, { allowed, denied }) => [
        { labels: { route, decision: 'allow' }, value: allowed },
        { labels: { route, decision: 'deny' }, value: denied },
      ]),
      { route: ROUTE, decision: DECISIONS },
    ),
    gauge('countersign_checks_in_flight', 'Checks that are being decided.', () => checks.inFlight),
    counter(
      'countersign_authentications_total',
      'Credentials, by authenticator and outcome: authenticated, rejected, unavailable.',
      () =>
        [...checks.authentications].flatMap(([authenticator, outcomes]) =>
          Object.entries(outcomes).map(([outcome, value]) => ({
            labels: { authenticator, outcome },
            value,
          })),
        ),
      { authenticator: AUTHENTICATOR, outcome: ['authenticated', 'rejected', 'unavailable'] },
    ),
    counter(
      'countersign_certificate_requests_total',
      'Checks that were permitted and forwarded with a client certificate.',
      perRoute((route, { certificates }) => [{ labels: { route }, value: certificates }]),
      { route: ROUTE },
    ),
    ...ruleMetrics(perRoute),
  ]
}

const ruleMetrics = (
  perRoute: (
    samples: (route: string, statistics: RouteStatistics) => readonly Sample<number>[],
  ) => () => readonly Sample<number>[],
): readonly Metric[] => [
  counter(
    'countersign_rule_decisions_total',
    'Checks that a rule decided: allow, deny, or failed where it could not be evaluated, which refuses too.',
    perRoute((route, { rules }) =>
      [...rules].flatMap(([rule, counts]) =>
        RULE_DECISIONS.map((decision) => ({
          labels: { route, rule, decision },
          value: counts[decision],
        })),
      ),
    ),
    { route: ROUTE, rule: RULE, decision: RULE_DECISIONS },
  ),
  counter(
    'countersign_shadow_decisions_total',
    'Checks that a rule in shadow would have decided, by its decision (decision) and the actual one (decided).',
    perRoute((route, { shadows }) =>
      [...shadows].flatMap(([rule, counts]) =>
        RULE_DECISIONS.flatMap((decision) =>
          (['allow', 'deny'] as const).map((decided) => ({
            labels: { route, rule, decision, decided },
            value: counts[decision][decided],
          })),
        ),
      ),
    ),
    { route: ROUTE, rule: RULE, decision: RULE_DECISIONS, decided: DECISIONS },
  ),
]

const credentialCacheMetrics = (
  credentialCache: AuthzParts['credentialCache'],
): readonly Metric[] => {
  const perKind =
    (value: (holdings: CacheEntries) => number): (() => readonly Sample<number>[]) =>
    () => {
      const { proofs, rejections } = credentialCache.statistics()
      return [
        { labels: { kind: 'proof' }, value: value(proofs) },
        { labels: { kind: 'rejection' }, value: value(rejections) },
      ]
    }
  return [
    counter(
      'countersign_credential_cache_lookups_total',
      'Lookups in the credential cache: verified (hit), rejected (refusal), being verified for another request (joined), or absent (miss).',
      () =>
        [...credentialCache.statistics().lookups].flatMap(([authenticator, counts]) => [
          { labels: { authenticator, result: 'hit' }, value: counts.hits },
          { labels: { authenticator, result: 'refusal' }, value: counts.refusals },
          { labels: { authenticator, result: 'joined' }, value: counts.joined },
          { labels: { authenticator, result: 'miss' }, value: counts.misses },
        ]),
      { authenticator: AUTHENTICATOR, result: ['hit', 'refusal', 'joined', 'miss'] },
    ),
    gauge(
      'countersign_credential_cache_entries',
      'Credentials that are remembered.',
      perKind(({ entries }) => entries),
      KIND,
    ),
    gauge(
      'countersign_credential_cache_bytes',
      'Memory that they take, about.',
      perKind(({ bytes }) => bytes),
      KIND,
    ),
    gauge(
      'countersign_credential_cache_max_bytes',
      'The most memory for verified credentials (credentialCache.maxBytes).',
      () => [{ labels: {}, value: credentialCache.statistics().maxBytes }],
    ),
    counter(
      'countersign_credential_cache_evictions_total',
      'Credentials evicted because the cache was full.',
      perKind(({ evictions }) => evictions),
      KIND,
    ),
    counter(
      'countersign_credential_cache_revocations_total',
      'How often the whole cache was cleared (SIGHUP).',
      () => credentialCache.statistics().revocations,
    ),
  ]
}

const keyMetrics = (keySets: AuthzParts['keySets']): readonly Metric[] => [
  gauge(
    'countersign_token_keys',
    'Usable keys of issuers, by the URL of the key set.',
    () => keySets.statuses().map(({ source, keys }) => ({ labels: { source }, value: keys })),
    SOURCE,
  ),
  gauge(
    'countersign_token_keys_age_seconds',
    'Time since the last successful fetch of the keys; absent while there are none.',
    () =>
      keySets
        .statuses()
        .flatMap(({ source, age }) =>
          age === undefined ? [] : [{ labels: { source }, value: age / 1_000 }],
        ),
    SOURCE,
  ),
  counter(
    'countersign_token_key_fetches_total',
    'Fetches of keys, by result: fetched or failed.',
    () =>
      keySets.statuses().flatMap(({ source, fetched, failed }) => [
        { labels: { source, result: 'fetched' }, value: fetched },
        { labels: { source, result: 'failed' }, value: failed },
      ]),
    { ...SOURCE, result: ['fetched', 'failed'] },
  ),
]

/** Prometheus treats an empty label as absent. */
const labelsOf = (dependency: Dependency) => ({
  authenticator: 'authenticator' in dependency ? dependency.authenticator : '',
  route: 'route' in dependency ? dependency.route : '',
  kind: dependency.kind,
  server: dependency.name,
})

const dependencyOf = ({ kind, name, failure }: StoreHealth): readonly Dependency[] =>
  kind === 'redis' ? [{ kind: 'state', name, isUp: () => failure() === undefined }] : []

const snapshotMetrics = ({ current, store, clock }: AuthzParts): readonly Metric[] => [
  gauge(
    'countersign_dependency_up',
    '1, or 0 while the circuit breaker of a server that an authenticator, a route or `state` uses is open.',
    () =>
      [...current().value.dependencies, ...dependencyOf(store)].map((dependency) => ({
        labels: labelsOf(dependency),
        value: dependency.isUp() ? 1 : 0,
      })),
    SERVER,
  ),
  counter(
    'countersign_dependency_refusals_total',
    'Requests that were not sent to such a server, since the configuration was loaded, by reason: a caller over its budget (rate-limited), a cached failure of the same credential (cached), an open circuit breaker (circuit-open), too many waiting requests (overloaded).',
    () =>
      current().value.dependencies.flatMap((dependency) =>
        [...(dependency.refusals?.() ?? [])].map(([reason, value]) => ({
          labels: { ...labelsOf(dependency), reason },
          value,
        })),
      ),
    { ...SERVER, reason: ['rate-limited', 'cached', 'circuit-open', 'overloaded'] },
  ),
  gauge(
    'countersign_dependency_answers_cached',
    'Cached answers of API servers to SubjectAccessReview, at most 10,000 for each route. Other answers are in the credential cache.',
    () =>
      current().value.dependencies.flatMap((dependency) =>
        dependency.cached === undefined
          ? []
          : [{ labels: labelsOf(dependency), value: dependency.cached() }],
      ),
    SERVER,
  ),
  counter(
    'countersign_grants_sealed_total',
    'Certificate grants that were sealed, since the configuration was loaded.',
    () => current().value.seal?.sealed ?? 0,
  ),
  gauge(
    'countersign_grant_key_age_seconds',
    'Time since the key that seals certificate grants was made; absent where its keyring does not say so (`# created` before the key).',
    () => {
      const created = current().value.seal?.created
      return created === undefined
        ? []
        : [{ labels: {}, value: Math.max(0, (clock.now() - created) / 1_000) }]
    },
  ),
]
