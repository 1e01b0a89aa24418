// Rules about headers and trailers that bypass removals: by another name that an upstream treats as the same
// (CGI, FastCGI and PHP: RFC 3875 §4.1.18), or after the body.

import { STRIPPED_NAMES, STRIPPED_PREFIXES } from '../../../request/stripped-headers.ts'
import { TRAILER } from '../../strip.ts'
import { when, type Rule } from '../rule.ts'
import { protocolOf } from '../view/cluster.ts'
import type { Edge } from '../view/credentials.ts'
import type { Manager } from '../view/manager.ts'
import { earlyMutations, removalIn, trailerMutationsOf } from '../view/mutation.ts'
import type { Setting } from '../view/setting.ts'
import type { Site } from '../view/site.ts'
import { removedBeforeAuthz } from './headers.ts'

/** Rules about what looks like a header that is removed. */
export const lookAlikeRules: readonly Rule<Edge>[] = [
  {
    id: 'header-look-alikes',
    severity: 'error',
    problem: 'headers are removed in one spelling of their names only',
    risk: 'CGI, FastCGI and PHP treat X.Remote~User as X-Remote-User: authz alone protects such an upstream',
    remedy:
      'early_header_mutation_extensions with { remove_on_match: { key_matcher: { safe_regex: { regex: "x[^a-z0-9]remote[^a-z0-9].*" } } } } and the like, as `countersign envoy generate` writes them; or { regex: "[a-z0-9-]+[^a-z0-9-].*" } for all such names, where no caller sends Impersonate-Extra- with a symbol in the key',
    find: ({ site, manager, credentials }) => {
      const all = earlyMutations(manager)
      const { names, prefixes } = removedBeforeAuthz(site, credentials)
      // What is not removed at all is the business of `forgeable-headers`.
      const removed = [...names, ...prefixes.map(someNameWith)].filter((name) => isIn(all, name))
      const left = removed.filter((name) => lookAlikesOf(name).some((other) => !isIn(all, other)))
      return when(left.length > 0, manager.config.get('early_header_mutation_extensions'), {
        detail: left.join(', '),
      })
    },
  },
  {
    id: 'forgeable-trailers',
    severity: 'warning',
    problem: 'trailers with the names of headers that Countersign may set are forwarded',
    risk: 'authz receives no trailers; an upstream that treats them as headers trusts the caller',
    remedy:
      'in http_filters, before the router: envoy.filters.http.header_mutation with mutations: { request_trailers_mutations: [{ remove: NAME }, { remove_on_match: { key_matcher: { prefix: PREFIX } } }] }, as `countersign envoy generate` writes it; or HTTP/1.1 to the upstream, over which Envoy sends no trailers',
    find: ({ site, manager }) => {
      if (!forwardsTrailers(site, manager)) return []
      const all = manager.chains[0].filters.flatMap(trailerMutationsOf)
      const own = site.expected?.ownHeaders ?? []
      const names = [...STRIPPED_NAMES, ...own, ...STRIPPED_PREFIXES.map(someNameWith)]
      const announced = isIn(earlyMutations(manager), TRAILER)
        ? []
        : [`${TRAILER}, which names them`]
      const left = [
        ...names.filter((name) =>
          [name, ...lookAlikesOf(name)].some((spelling) => !isIn(all, spelling)),
        ),
        ...announced,
      ]
      return when(left.length > 0, manager.config.get('http_filters'), { detail: left.join(', ') })
    },
  },
]

const someNameWith = (prefix: string): string => `${prefix}user`

const isIn = (mutations: readonly Setting[], name: string): boolean =>
  mutations.some((mutation) => removalIn(mutation, name) !== undefined)

// One from between the digits and the letters of ASCII, and the first and the last there is.
const SYMBOLS = ['!', '.', '^', '~'] as const

/** The name with one of its separators another symbol, and with all of them. */
const lookAlikesOf = (name: string): readonly string[] => {
  const places = [...name.matchAll(/-/g)].map(({ index }) => index)
  return SYMBOLS.flatMap((symbol) => [
    ...places.map((place) => name.slice(0, place) + symbol + name.slice(place + 1)),
    name.replaceAll('-', symbol),
  ])
}

/** Over HTTP/1.1 Envoy sends trailers only when that is enabled. */
const forwardsTrailers = ({ configuration }: Site, { routes }: Manager): boolean =>
  routes
    .flatMap(({ cluster }) => configuration.clusters.get(cluster?.text ?? '') ?? [])
    .map(protocolOf)
    .some(({ kind, at }) => kind !== 'http1' || at.get('enable_trailers').flag)
