// Virtual hosts: the one for a host, and its route for a path.

import { matchesRegex } from './matcher.ts'
import type { Route } from './route.ts'
import type { Setting } from './setting.ts'

/** A VirtualHost message, and its routes in order. */
export interface VirtualHost {
  readonly at: Setting
  readonly routes: readonly Route[]
}

/** The virtual hosts for requests to a host; several when they differ by port. */
export const virtualHostsFor = (routes: readonly Route[], host: string): readonly VirtualHost[] => {
  const groups = Map.groupBy(routes, (route) => JSON.stringify(route.host.path))
  const all = [...groups.values()].flatMap((own): readonly VirtualHost[] => {
    const [first] = own
    return first === undefined ? [] : [{ at: first.host, routes: own }]
  })
  const ranked = all.map((one) => ({ one, rank: rankOf(one.at, host) }))
  const best = Math.max(...ranked.map(({ rank }) => rank), NONE)
  return best === NONE ? [] : ranked.filter(({ rank }) => rank === best).map(({ one }) => one)
}

const NONE = -1

/** How specific the best domain for the host is: exact, suffix, prefix, any (Envoy's order). */
const rankOf = (virtualHost: Setting, host: string): number => {
  const ranks = domainsOf(virtualHost)
    .map((domain) => domain.replace(/:(\d+|\*)$/, ''))
    .map((domain) => {
      if (domain === host) return EXACT
      if (domain === '*') return 0
      if (domain.startsWith('*') && host.endsWith(domain.slice(1))) return SUFFIX + domain.length
      return domain.endsWith('*') && host.startsWith(domain.slice(0, -1)) ? domain.length : NONE
    })
  return Math.max(...ranks, NONE)
}

const SUFFIX = 1_000
const EXACT = 2_000

/** Whether a RouteMatch takes a path; `maybe` where it also looks at something else. */
export const takesPath = (match: Setting, path: string): 'yes' | 'no' | 'maybe' => {
  if (!matchesPath(match, path)) return 'no'
  return CONDITIONS.some((name) => match.get(name).isSet) ? 'maybe' : 'yes'
}

const CONDITIONS = [
  'headers',
  'query_parameters',
  'cookies',
  'grpc',
  'tls_context',
  'dynamic_metadata',
  'filter_state',
  'runtime_fraction',
]

const matchesPath = (match: Setting, path: string): boolean => {
  const ignoreCase = match.get('case_sensitive').isSet && !match.get('case_sensitive').flag
  const spelt = (text: string): string => (ignoreCase ? text.toLowerCase() : text)
  const wanted = spelt(path)
  const [prefix, exact, separated] = ['prefix', 'path', 'path_separated_prefix'].map((name) =>
    match.get(name).isSet ? spelt(match.get(name).text) : undefined,
  )
  if (prefix !== undefined) return wanted.startsWith(prefix)
  if (exact !== undefined) return wanted === exact
  if (separated !== undefined) return wanted === separated || wanted.startsWith(`${separated}/`)
  return matchesRegex(match.get('safe_regex'), path)
}

/**
 * Hosts, in lower case, that can take a route: one for each way in which its virtual host is matched, and
 * those of the ones that are known which come to it.
 */
export const hostsOf = (route: Route, known: readonly string[] = []): readonly string[] => {
  const ported = route.table.get('ignore_port_in_host_matching').flag
  const domains = domainsOf(route.host)
  const own = domains.map((name) => name.replace(/:\*$/, `:${ANY_PORT}`).replace('*', ANY_NAME))
  const more = domains.some((name) => /^\*|[^:]\*$/.test(name))
    ? known.filter((host) => takesHost(route, host))
    : []
  return [
    ...new Set(
      [...own, ...more].flatMap((name) =>
        ported && !/:\d+$/.test(name) ? [name, `${name}:${ANY_PORT}`] : [name],
      ),
    ),
  ]
}

/** Whether no other virtual host is there that takes requests for a host before this one does. */
const takesHost = ({ host, table }: Route, name: string): boolean => {
  const bare = name.replace(/:\d+$/, '')
  const rank = rankOf(host, bare)
  const others = table.get('virtual_hosts').items()
  return rank !== NONE && others.every((other) => rankOf(other, bare) <= rank)
}

const domainsOf = (virtualHost: Setting): readonly string[] =>
  virtualHost
    .get('domains')
    .items()
    .map(({ text }) => text.toLowerCase())

// A name that no policy contains represents all such names.
const ANY_NAME = 'any-other'
const ANY_PORT = 65_535

/** Hosts that matchers of a policy are about, whatever else they may take. */
export const hostsNamedBy = (matcher: Setting): readonly string[] => {
  const [exact, prefix, suffix] = ['exact', 'prefix', 'suffix'].map((name) =>
    matcher.get(name).text.toLowerCase(),
  )
  if (exact !== undefined && exact !== '') return [exact]
  if (prefix !== undefined && prefix !== '') {
    return [prefix.endsWith(':') ? `${prefix}${ANY_PORT}` : `${prefix}${ANY_NAME}`]
  }
  return suffix === undefined || suffix === '' ? [] : [`${ANY_NAME}${suffix}`]
}

/** The pattern that such a host represents. */
export const hostForPeople = (host: string): string =>
  host.replace(ANY_NAME, '*').replace(new RegExp(`:${ANY_PORT}$`), ':PORT')

/** Whether a pattern of countersign.yaml is about a host; one for every host is about none. */
export const covers = (pattern: string, host: string): boolean => {
  const name = host.replace(/:\d+$/, '')
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}
