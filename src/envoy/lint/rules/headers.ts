// Rules about the headers of requests: what Countersign may set is removed before anything else
// happens, and what it has to see is not.

import {
  ENVOY_PREFIX,
  ORIGIN_NAMES,
  ORIGIN_PREFIX,
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
} from '../../../request/stripped-headers.ts'
import type { HeaderNames } from '../../removals.ts'
import type { Credential } from '../credentials.ts'

import { when, type Hit, type Rule } from '../rule.ts'
import { filtersInFront, type Edge } from '../view/credentials.ts'
import {
  earlyMutations,
  isRemovedEarly,
  mutationsOf,
  overwrites,
  removalIn,
  removesAll,
} from '../view/mutation.ts'
import type { Manager } from '../view/manager.ts'
import type { Setting } from '../view/setting.ts'
import { guardsOf, isTurnedOff, type Site } from '../view/site.ts'
import { isPlainEdge } from './downstream-tls.ts'

const CLIENT_CERT = ['client-cert', 'client-cert-chain'] as const
const FORWARDED = 'x-forwarded-client-cert'

// These authz has to see: it removes the credential itself, and refuses impersonation.
const SEEN_BY_AUTHZ: ReadonlySet<string> = new Set(['authorization', 'dpop', 'impersonate-'])

/** Rules about the headers of requests. */
export const headerRules: readonly Rule<Edge>[] = [
  {
    id: 'forgeable-headers',
    severity: 'warning',
    problem: 'headers that Countersign may set are not removed from requests of callers',
    risk: 'authz alone protects an upstream that trusts them; a route without authz has no protection',
    remedy:
      'early_header_mutation_extensions: [{ name: envoy.http.early_header_mutation.header_mutation, typed_config: { …, mutations: [{ remove: NAME }, { remove_on_match: { key_matcher: { prefix: PREFIX, ignore_case: true } } }] } }]',
    find: ({ site, manager, credentials }) => {
      const left = leftIn(manager, removedBeforeAuthz(site, credentials))
      const guards = manager.chains.flatMap((chain) => guardsOf(site, chain))
      const unjudged = manager.routes.some(
        (route) => route.action.isSet && guards.some((guard) => isTurnedOff(guard, route)),
      )
      return when(left.length > 0, manager.config.get('early_header_mutation_extensions'), {
        detail: left.join(', '),
        severity: unjudged ? 'error' : 'warning',
      })
    },
  },
  {
    id: 'origin-forgeable',
    severity: 'warning',
    problem: 'headers in which callers state their own address are forwarded',
    risk: 'an upstream that trusts them accepts any address from any caller; Envoy appends the real one to X-Forwarded-For only',
    remedy:
      'early_header_mutation_extensions with { remove: forwarded }, { remove: x-real-ip }, { remove_on_match: { key_matcher: { prefix: x-forwarded-, ignore_case: true } } }; none of it where a proxy in front writes them',
    find: ({ manager }) => {
      if (!removesAtEdge(manager)) return []
      return whenLeft(
        manager,
        ORIGINS.filter((name) => !isRemovedEarly(manager, name)),
      )
    },
  },
  {
    id: 'steering-headers-kept',
    severity: 'warning',
    problem: 'headers that control Envoy are not removed from requests of callers',
    risk: 'Envoy removes only those that it knows, and only from callers that are not internal',
    remedy:
      'early_header_mutation_extensions with { remove_on_match: { key_matcher: { prefix: x-envoy-, ignore_case: true } } }',
    find: ({ manager }) =>
      removesAtEdge(manager) ? whenLeft(manager, keptBy(manager, ENVOY_PREFIX)) : [],
  },
  {
    id: 'credential-removed',
    severity: 'error',
    problem: 'a header with a credential is removed before authz receives the request',
    risk: 'the credential never arrives: its callers are treated as callers without a credential',
    remedy:
      'no such removal, since authz takes credentials out itself; another header in the authenticator where this one is among those that Countersign sets',
    find: (edge) =>
      edge.credentials.flatMap((credential) => {
        // Where callers connect it can only be forged: there it is removed, and rightly.
        if (credential.kind === 'client-cert' && isPlainEdge(edge.manager)) return []
        const { authenticator } = credential
        return headersOf(credential).flatMap((name) =>
          removalsOf(name, edge).map((at) => ({ at, detail: `${name}, of ${authenticator}` })),
        )
      }),
  },
]

// Those that begin so and that proxies write, less what Envoy overwrites itself.
const ORIGINS = [
  ...ORIGIN_NAMES,
  ...['host', 'port', 'prefix', 'server'].map((name) => `${ORIGIN_PREFIX}${name}`),
]

/** Whether callers connect there; where nothing at all is removed, the first of these rules says so. */
const removesAtEdge = (manager: Manager): boolean =>
  isPlainEdge(manager) && earlyMutations(manager).length > 0

const keptBy = (manager: Manager, prefix: string): readonly string[] =>
  earlyMutations(manager).some((mutation) => removesAll(mutation, prefix)) ? [] : [`${prefix}*`]

const whenLeft = (manager: Manager, left: readonly string[]): readonly Hit[] =>
  when(left.length > 0, manager.config.get('early_header_mutation_extensions'), {
    detail: left.join(', '),
  })

/** The headers that carry a credential. */
const headersOf = (credential: Credential): readonly string[] => {
  switch (credential.kind) {
    case 'header':
      return [credential.name]
    case 'client-cert':
      return CLIENT_CERT
    case 'forwarded-certificate':
      return [FORWARDED]
    case 'connection-certificate':
    case 'parameter':
      return []
  }
}

/** The names and prefixes of headers to be removed from what callers send, less those that authz has to see. */
export const removedBeforeAuthz = (
  { expected }: Site,
  credentials: readonly Credential[],
): HeaderNames => {
  const seen = credentials.flatMap(headersOf)
  return {
    names: [...STRIPPED_NAMES, ...(expected?.ownHeaders ?? [])].filter(
      (name) => !SEEN_BY_AUTHZ.has(name) && !seen.includes(name),
    ),
    prefixes: STRIPPED_PREFIXES.filter(
      (prefix) => !SEEN_BY_AUTHZ.has(prefix) && !seen.some((name) => name.startsWith(prefix)),
    ),
  }
}

/** Those of them that are not removed; prefixes with a star. */
const leftIn = (manager: Manager, { names, prefixes }: HeaderNames): readonly string[] => {
  const all = earlyMutations(manager)
  return [
    ...names.filter((name) => !isRemovedEarly(manager, name)),
    ...prefixes
      .filter((prefix) => !all.some((mutation) => removesAll(mutation, prefix)))
      .map((prefix) => `${prefix}*`),
  ]
}

/** Where a header is removed before authz sees it (measured, 1.40). */
const removalsOf = (name: string, { site, manager }: Edge): readonly Setting[] => {
  const filters = filtersInFront(site, manager).flatMap(mutationsOf)
  // Envoy writes X-Forwarded-Client-Cert between these and the filters.
  const early = name === FORWARDED ? [] : earlyMutations(manager)
  const mutations = [...early, ...filters]
  if (mutations.some((mutation) => overwrites(mutation, name))) return []
  const internal = name === FORWARDED ? [] : manager.tables.flatMap(internalHeaders)
  return [
    ...mutations.flatMap((mutation) => removalIn(mutation, name) ?? []),
    ...internal.filter(({ text }) => text.toLowerCase() === name),
  ]
}

/**
 * The headers that are removed from requests of external callers. `request_headers_to_remove` is excluded: it
 * applies when the request is forwarded.
 */
const internalHeaders = (table: Setting): readonly Setting[] =>
  table.get('internal_only_headers').items()
