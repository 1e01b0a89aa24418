// Patches of the routes to the issuer for an Istio gateway: the limits that the generated bootstrap has for
// unauthenticated clients. The VirtualService defines the routes; its HTTP routes have the names that are
// patched here.

import { rateLimitsSchema } from '../../configuration/rate-limit-schema.ts'
import type { Config } from '../../configuration/schema.ts'
import { EXT_AUTHZ } from '../filters.ts'
import { boundsOf, pathGroups, saying, type PathGroup } from '../issuer.ts'
import { issuerFilters } from '../issuer-bounds.ts'
import type { Message } from '../message.ts'

/** A patch, and what it is for. */
export interface Patch {
  readonly why: string
  readonly patch: Message
}

const MANAGER = 'envoy.filters.network.http_connection_manager'

/** What patches of the connection manager match. */
export const managerMatch: Message = {
  context: 'GATEWAY',
  listener: { filterChain: { filter: { name: MANAGER } } },
}

/** What patches of and around ext_authz match. */
export const extAuthzMatch: Message = {
  context: 'GATEWAY',
  listener: { filterChain: { filter: { name: MANAGER, subFilter: { name: EXT_AUTHZ } } } },
}

/** The HTTP route of a VirtualService for a group of paths. */
const routeName = (group: PathGroup): string => `issuer-${group}`

const PATHS: Readonly<Record<PathGroup, string>> = {
  documents: 'the key set and the metadata',
  login: '/authorize, /login, /account, /logout, and /.countersign/ on hosts of sessions',
  token: '/token, /introspect, /revoke, /userinfo, /par',
  device: '/device',
}

/** The patches; none where there is no issuer. */
export const issuerPatches = (config: Config): readonly Patch[] => {
  const groups = pathGroups(config)
  if (groups.length === 0) return []
  const rateLimits = config.envoy?.rateLimits ?? rateLimitsSchema.parse({})
  const routes = groups.map((group): Patch => {
    const { route, typed_per_filter_config } = boundsOf(group, config, rateLimits)
    const name = routeName(group)
    return {
      why: ` The HTTP route "${name}" of a VirtualService: ${PATHS[group]}.`,
      patch: {
        applyTo: 'HTTP_ROUTE',
        match: { context: 'GATEWAY', routeConfiguration: { vhost: { route: { name } } } },
        patch: {
          operation: 'MERGE',
          value: { route, typed_per_filter_config, ...(group === 'documents' ? {} : saying) },
        },
      },
    }
  })
  const filters = issuerFilters.map((filter): Patch => ({
    why: ` Limits for the routes to the issuer, which bypass authz. No other route enables it.`,
    patch: {
      applyTo: 'HTTP_FILTER',
      match: extAuthzMatch,
      patch: { operation: 'INSERT_BEFORE', value: filter },
    },
  }))
  return [...filters, ...routes]
}
