// The metrics of tokens for upstreams: their cache, and the keys that sign minted tokens.

import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import type { TokenMemory } from '../transform/token/token-memory.ts'
import type { Snapshot } from './snapshot.ts'

/** What is counted, and where. */
export interface TokenParts {
  readonly tokens: Pick<TokenMemory, 'statistics'>
  readonly current: () => { readonly value: Pick<Snapshot, 'issuer'> }
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The metrics. */
export const tokenMetrics = ({ tokens, current, now }: TokenParts): readonly Metric[] => [
  counter(
    'countersign_upstream_tokens_total',
    'Tokens for upstreams that were wanted, by kind and result: held from before (hit), just being made for another request (joined), or neither (miss).',
    () =>
      [...tokens.statistics().lookups].flatMap(([kind, counts]) => [
        { labels: { kind, result: 'hit' }, value: counts.hits },
        { labels: { kind, result: 'joined' }, value: counts.joined },
        { labels: { kind, result: 'miss' }, value: counts.misses },
      ]),
  ),
  gauge(
    'countersign_upstream_tokens_cached',
    'Tokens for upstreams that are held.',
    () => tokens.statistics().entries,
  ),
  gauge(
    'countersign_upstream_tokens_bytes',
    'Bytes of those tokens.',
    () => tokens.statistics().bytes,
  ),
  counter(
    'countersign_upstream_tokens_evictions_total',
    'Tokens for upstreams that were forgotten for want of room.',
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
  ),
  gauge(
    'countersign_signing_key_age_seconds',
    'For how long the key that signs now has done so, by algorithm: rotate it now and then.',
    () =>
      statuses(current)
        .filter(({ state }) => state === 'signing')
        .map(({ algorithm, signsFrom }) => ({
          labels: { algorithm },
          value: Math.max(0, (now() - Date.parse(signsFrom)) / 1_000),
        })),
  ),
]

const PUBLISHED: ReadonlySet<string> = new Set(['next', 'signing', 'retired'])

const statuses = (current: TokenParts['current']) => current().value.issuer?.keys.statuses() ?? []
