// The metrics of tokens for upstreams: their cache, and the keys that sign minted tokens.

import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import { SIGNING_ALGORITHMS } from '../keys/mint-schema.ts'
import type { ForwardedKind } from '../transform/transformer.ts'
import type { TokenCache } from '../transform/token/token-cache.ts'
import type { Snapshot } from './snapshot.ts'

/** What is counted, and where. */
export interface TokenParts {
  readonly tokens: Pick<TokenCache, 'statistics'>
  readonly current: () => { readonly value: Pick<Snapshot, 'issuer'> }
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const TOKEN_KINDS = [
  'minted-token',
  'assertion',
  'exchanged-token',
  'service-token',
] as const satisfies readonly ForwardedKind[]

/** The metrics. */
export const tokenMetrics = ({ tokens, current, now }: TokenParts): readonly Metric[] => [
  counter(
    'countersign_upstream_tokens_total',
    'Lookups of tokens for upstreams, by kind and result: cached (hit), being made for another request (joined), or absent (miss).',
    () =>
      [...tokens.statistics().lookups].flatMap(([kind, counts]) => [
        { labels: { kind, result: 'hit' }, value: counts.hits },
        { labels: { kind, result: 'joined' }, value: counts.joined },
        { labels: { kind, result: 'miss' }, value: counts.misses },
      ]),
    { kind: TOKEN_KINDS, result: ['hit', 'joined', 'miss'] },
  ),
  gauge(
    'countersign_upstream_tokens_cached',
    'Tokens for upstreams in the cache.',
    () => tokens.statistics().entries,
  ),
  gauge(
    'countersign_upstream_tokens_bytes',
    'Size of the cached tokens, in bytes.',
    () => tokens.statistics().bytes,
  ),
  gauge(
    'countersign_upstream_tokens_max_bytes',
    'The most bytes of cached tokens.',
    () => tokens.statistics().maxBytes,
  ),
  counter(
    'countersign_upstream_tokens_evictions_total',
    'Cached tokens for upstreams that were evicted because the cache was full.',
    () => tokens.statistics().evictions,
  ),
  gauge(
    'countersign_signing_keys',
    'Keys of the issuer that are published, by algorithm and state: next, signing, retired.',
    () => {
      const published = statuses(current).filter(({ state }) => PUBLISHED.has(state))
      const groups = Map.groupBy(published, ({ algorithm, state }) => `${algorithm} ${state}`)
      return [...groups.values()].flatMap((keys) => {
        const [key] = keys
        if (key === undefined) return []
        const { algorithm, state } = key
        return [{ labels: { algorithm, state }, value: keys.length }]
      })
    },
    { algorithm: SIGNING_ALGORITHMS, state: [...PUBLISHED] },
  ),
  gauge(
    'countersign_signing_key_age_seconds',
    'Time since the active signing key began to sign, by algorithm.',
    () =>
      statuses(current)
        .filter(({ state }) => state === 'signing')
        .map(({ algorithm, signsFrom }) => ({
          labels: { algorithm },
          value: Math.max(0, (now() - Date.parse(signsFrom)) / 1_000),
        })),
    { algorithm: SIGNING_ALGORITHMS },
  ),
  gauge(
    'countersign_signing_key_created_timestamp_seconds',
    'When each published key of the issuer was made.',
    () =>
      statuses(current)
        .filter(({ state }) => PUBLISHED.has(state))
        .map(({ kid, algorithm, state, created }) => ({
          labels: { kid, algorithm, state },
          value: Date.parse(created) / 1_000,
        })),
    {
      kid: 'the ids of the published keys',
      algorithm: SIGNING_ALGORITHMS,
      state: [...PUBLISHED],
    },
  ),
  gauge(
    'countersign_signing_key_next_timestamp_seconds',
    'When the next key begins to sign, by algorithm; absent where none is made.',
    () =>
      statuses(current)
        .filter(({ state }) => state === 'next')
        .map(({ algorithm, signsFrom }) => ({
          labels: { algorithm },
          value: Date.parse(signsFrom) / 1_000,
        })),
    { algorithm: SIGNING_ALGORITHMS },
  ),
]

const PUBLISHED: ReadonlySet<string> = new Set(['next', 'signing', 'retired'])

const statuses = (current: TokenParts['current']) => current().value.issuer?.keys.statuses() ?? []
