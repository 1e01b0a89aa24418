// Virtual hosts: which one requests for a host take, and which of its routes a path takes.

import type { Manager } from './manager.ts'
import { matchesRegex } from './matcher.ts'
import type { Route } from './route.ts'
import type { Setting } from './setting.ts'

/** A VirtualHost message, and its routes in order. */
export interface VirtualHost {
  readonly at: Setting
  readonly routes: readonly Route[]
}

/** The virtual hosts that requests for a host can take; several where ports tell them apart. */
export const virtualHostsFor = ({ routes }: Manager, host: string): readonly VirtualHost[] => {
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
  const ranks = virtualHost
    .get('domains')
    .items()
    .map(({ text }) => text.toLowerCase().replace(/:\d+$/, ''))
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
