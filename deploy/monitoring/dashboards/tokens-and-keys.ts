// The keys that tokens are verified with, and the tokens that upstreams get: a section of the dashboard of credentials.

import { linkTo } from './links.ts'
import { table, timeSeries } from './panels.ts'
import { grown, rate, series, sum } from './queries.ts'

/** A section: keys of issuers, tokens for upstreams, signing keys. */
export const tokensAndKeys = [
  table({
    title: 'Keys of issuers',
    about:
      'When the keys of each issuer were fetched last. A day or more: docs/operate/troubleshooting.md, "A token is refused".',
    unit: 's',
    width: 8,
    thresholds: [
      [43_200, 'yellow'],
      [86_400, 'red'],
    ],
    query: `max by (source) (${series('countersign_token_keys_age_seconds')})`,
    columns: { source: 'Source' },
    value: 'Age',
  }),
  timeSeries({
    title: 'Fetches of keys',
    about:
      'Fetches that failed and that succeeded, by source. The keys of before stay in use until they are a day old.',
    unit: 'cps',
    queries: {
      '{{source}}: {{result}}': sum(
        rate(series('countersign_token_key_fetches_total')),
        'source, result',
      ),
    },
    links: [linkTo('dependencies', 'Dependencies')],
  }),
  timeSeries({
    title: 'Tokens for upstreams',
    about:
      'Lookups of tokens that upstreams get: from the cache (hit), being made (joined), or made now (miss).',
    unit: 'reqps',
    queries: {
      '{{kind}}: {{result}}': sum(
        rate(series('countersign_upstream_tokens_total')),
        'kind, result',
      ),
    },
  }),
  timeSeries({
    title: 'Cached tokens for upstreams',
    about:
      'How many are cached, and how many were evicted in this range. Evictions for long: more identities than the cache has room for.',
    unit: 'short',
    queries: {
      cached: sum(series('countersign_upstream_tokens_cached')),
      evicted: sum(grown(series('countersign_upstream_tokens_evictions_total'))),
    },
  }),
  timeSeries({
    title: 'Room used by tokens for upstreams',
    about: 'Of the memory that cached tokens may take.',
    unit: 'percentunit',
    queries: {
      used: `sum(${series('countersign_upstream_tokens_bytes')}) / sum(${series('countersign_upstream_tokens_max_bytes')})`,
    },
  }),
  timeSeries({
    title: 'Usable keys of issuers',
    about: 'Keys by source. 0: every token of that issuer is refused.',
    unit: 'none',
    queries: { '{{source}}': `max by (source) (${series('countersign_token_keys')})` },
  }),
  timeSeries({
    title: 'Signing keys',
    about:
      'The age of the key that signs tokens. 90 days: rotate it (docs/operate/rotate-keys.md, "Signing keys").',
    unit: 's',
    thresholds: [[7_776_000, 'red']],
    queries: {
      '{{algorithm}}': `max by (algorithm) (${series('countersign_signing_key_age_seconds')})`,
    },
  }),
  table({
    title: 'Published keys',
    about:
      'Keys of the issuer with their state: next, signing, retired. `next` must be there before a rotation (docs/operate/rotate-keys.md, "Signing keys").',
    unit: 's',
    width: 8,
    query: `time() - max by (kid, algorithm, state) (${series('countersign_signing_key_created_timestamp_seconds')})`,
    columns: { algorithm: 'Algorithm', state: 'State', kid: 'Key' },
    value: 'Age',
  }),
  timeSeries({
    title: 'Next signing key signs in',
    about: 'Absent where no next key is made. Clients fetch a new key before it signs.',
    unit: 's',
    queries: {
      '{{algorithm}}': `min by (algorithm) (${series('countersign_signing_key_next_timestamp_seconds')}) - time()`,
    },
  }),
]
