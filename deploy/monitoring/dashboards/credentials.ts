// The credentials that callers bring, the cache that remembers them, and those that upstreams get.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { stat, timeSeries } from './panels.ts'
import { orZero, rate, ROUTE, series, share, sum } from './queries.ts'
import { tokensAndKeys } from './tokens-and-keys.ts'

const verified = (...matchers: readonly string[]) =>
  rate(series('countersign_authentications_total', ...matchers))
const lookups = (...matchers: readonly string[]) =>
  rate(series('countersign_credential_cache_lookups_total', ...matchers))
const refusals = (reasons: string) =>
  sum(rate(series('countersign_decisions_total', ROUTE, `reason=~"${reasons}"`)), 'reason')

const atAGlance = [
  stat({
    title: 'Rejected',
    about:
      'The share of credentials that are wrong. A sudden rise on one authenticator: its secret, its keys or its trust has changed.',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [
      [0.2, 'yellow'],
      [0.5, 'red'],
    ],
    query: share(verified('outcome="rejected"'), verified()),
  }),
  stat({
    title: 'Not verified',
    about:
      'The share of credentials that could not be verified, since a server does not answer. Open Dependencies.',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [
      [0.001, 'yellow'],
      [0.01, 'red'],
    ],
    query: share(verified('outcome="unavailable"'), verified()),
    links: [linkTo('dependencies', 'Dependencies')],
  }),
  stat({
    title: 'Found in the cache',
    about:
      'The share of lookups that need no verification. Low after a restart. Low for long: raise `credentialCache.ttl`, or `credentialCache.maxBytes` where credentials are evicted.',
    unit: 'percentunit',
    decimals: 1,
    query: share(lookups('result!="miss"'), lookups()),
  }),
  stat({
    title: 'Too many attempts',
    about:
      'Requests a second that are refused since there were too many failures for their user or their network. The audit log has the sources.',
    unit: 'reqps',
    thresholds: [
      [0.1, 'yellow'],
      [1, 'red'],
    ],
    query: orZero(
      sum(rate(series('countersign_decisions_total', ROUTE, 'reason="too-many-attempts"'))),
    ),
  }),
  stat({
    title: 'Room used by the cache',
    about:
      'Of `credentialCache.maxBytes`. Near 100 % with evictions: raise it, if there is memory.',
    unit: 'percentunit',
    decimals: 1,
    thresholds: [[0.9, 'yellow']],
    query: `sum(${series('countersign_credential_cache_bytes', 'kind="proof"')}) / sum(${series('countersign_credential_cache_max_bytes')})`,
  }),
  stat({
    title: 'Keys of issuers, oldest fetch',
    about:
      'The longest time since the keys of an issuer were fetched. A day: tokens signed with a new key are refused. See "Keys of issuers".',
    unit: 's',
    thresholds: [
      [43_200, 'yellow'],
      [86_400, 'red'],
    ],
    query: `max(${series('countersign_token_keys_age_seconds')})`,
  }),
]

const brought = [
  timeSeries({
    title: 'Credentials by authenticator',
    about: 'Credentials a second, whatever the outcome.',
    unit: 'reqps',
    stacked: true,
    queries: { '{{authenticator}}': sum(verified(), 'authenticator') },
  }),
  timeSeries({
    title: 'Rejected, by authenticator',
    about:
      'The share of credentials that are wrong. `countersign explain` shows why a request is refused.',
    unit: 'percentunit',
    max: 1,
    queries: {
      '{{authenticator}}': share(verified('outcome="rejected"'), verified(), 'authenticator'),
    },
  }),
  timeSeries({
    title: 'Not verified, by authenticator',
    about:
      'Credentials a second that could not be verified: a directory, a RADIUS server or an issuer does not answer.',
    unit: 'reqps',
    queries: { '{{authenticator}}': sum(verified('outcome="unavailable"'), 'authenticator') },
    links: [linkTo('dependencies', 'Dependencies')],
  }),
]

const why = [
  timeSeries({
    title: 'None, or of another kind',
    about:
      'Requests without a credential that the route reads. For browsers and for clients that wait for a challenge it is the rule.',
    unit: 'reqps',
    queries: {
      '{{reason}}': refusals(
        'credential-missing|credential-unsupported|credential-conflict|credential-malformed|session-ended',
      ),
    },
  }),
  timeSeries({
    title: 'Users, passwords and API keys',
    about:
      'Refusals by reason. Many `credential-wrong` of many sources: passwords are guessed (docs/operate/troubleshooting.md, "Passwords are refused that are right").',
    unit: 'reqps',
    queries: {
      '{{reason}}': refusals(
        'credential-wrong|too-many-attempts|rate-limited|user-.*|password-.*|second-factor-required|api-key-.*',
      ),
    },
  }),
  timeSeries({
    title: 'Tokens and certificates',
    about:
      'Refusals by reason. docs/operate/troubleshooting.md, "A token is refused"; `certificate-status-unknown`: OCSP or the CRL.',
    unit: 'reqps',
    queries: { '{{reason}}': refusals('token-.*|proof-.*|certificate-.*') },
    links: [linkTo('certificates', 'Certificates and signer')],
  }),
]

const cache = [
  timeSeries({
    title: 'Lookups',
    about:
      'Verified before (hit), rejected before (refusal), being verified for another request (joined), or absent (miss): only a miss costs a verification.',
    unit: 'reqps',
    stacked: true,
    queries: { '{{result}}': sum(lookups(), 'result') },
  }),
  timeSeries({
    title: 'Found, by authenticator',
    about: 'The share of lookups that need no verification.',
    unit: 'percentunit',
    max: 1,
    queries: { '{{authenticator}}': share(lookups('result!="miss"'), lookups(), 'authenticator') },
  }),
  timeSeries({
    title: 'Size of the cache',
    about: 'Bytes of remembered credentials and rejections, and the most that they may be.',
    unit: 'bytes',
    queries: {
      '{{kind}}': sum(series('countersign_credential_cache_bytes'), 'kind'),
      most: sum(series('countersign_credential_cache_max_bytes')),
    },
  }),
  timeSeries({
    title: 'Evictions',
    about:
      'Credentials a second that the cache drops since it is full. Above 0 for long: raise `credentialCache.maxBytes`. `whole cache cleared`: SIGHUP.',
    unit: 'cps',
    queries: {
      '{{kind}}': sum(rate(series('countersign_credential_cache_evictions_total')), 'kind'),
      'whole cache cleared': sum(rate(series('countersign_credential_cache_revocations_total'))),
    },
  }),
  timeSeries({
    title: 'Credentials in the cache',
    about:
      'Remembered credentials (proof) and rejections. It falls to 0 when all of them are dropped (SIGHUP, `countersign` reads its keys again).',
    unit: 'short',
    queries: { '{{kind}}': sum(series('countersign_credential_cache_entries'), 'kind') },
  }),
  timeSeries({
    title: 'Cached answers of servers',
    about:
      'Answers of API servers to SubjectAccessReview, and of OCSP responders: at most 10,000 of each.',
    unit: 'short',
    queries: {
      '{{kind}} {{server}}': sum(series('countersign_dependency_answers_cached'), 'kind, server'),
      OCSP: sum(series('countersign_ocsp_answers_cached')),
    },
  }),
]

/** The dashboard. */
export const credentials: Dashboard = {
  name: 'credentials',
  title: 'Credentials',
  about:
    'Which credentials callers bring, why they are rejected, how many are cached, and what upstreams get.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'Authenticators', panels: brought },
    { title: 'Why credentials are refused', panels: why },
    { title: 'Credential cache', panels: cache },
    { title: 'Tokens and keys', panels: tokensAndKeys },
  ],
}
