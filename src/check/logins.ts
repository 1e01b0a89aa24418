// The logins of a configuration, opened for its authorization server.

import { LocalRecheck } from '../authenticate/login/local-recheck.ts'
import type { Issuer } from '../keys/issuer.ts'
import type { DescribeAccount } from '../logins/accounts.ts'
import type { LoginEventSink } from '../logins/events.ts'
import type { NotifyClient } from '../logins/logout.ts'
import { openLogins, type Logins } from '../logins/logins.ts'
import type { LocalLogin } from '../logins/proven-logins.ts'
import type { LoginCheck } from '../logins/recheck.ts'
import { NO_LOGINS } from '../logins/status.ts'
import type { UpstreamRequestParts } from '../logins/upstream-idp/fetch.ts'
import type { UpstreamIdp } from '../logins/upstream-idp/upstream-idp.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RequestDurations } from '../runtime/request-durations.ts'
import type { State } from '../state/state.ts'
import { accountDescriber } from '../transform/token/account-claims.ts'
import type { AuthorizationServer } from './authorization-server.ts'

/** What the logins of all configurations share. */
export interface LoginResources {
  readonly events: LoginEventSink
  /** Measures the requests to upstream IdPs. */
  readonly durations?: RequestDurations | undefined
  /** Makes what notifies the clients of an authorization server. */
  readonly notifierOf: (server: AuthorizationServer, issuer: Issuer) => Promise<NotifyClient>
}

/** What opening needs. */
export interface OpeningLoginsParts {
  readonly issuer: Issuer
  readonly resources: LoginResources
  readonly state: State
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens them; without `issuer.login` none is active. */
export const loginsOf = async (
  server: AuthorizationServer,
  { issuer, resources, state, clock, logger }: OpeningLoginsParts,
): Promise<Logins> => {
  const { login } = server
  const { events, durations, notifierOf } = resources
  const logins = openLogins({
    upstreamIdps: await upstreamIdpsOf(server, { durations, clock }),
    local: login === undefined ? NOT_CONFIGURED : new LocalRecheck({ ...login, clock }),
    describe:
      login === undefined ? notConfigured : accountDescriber({ ...login, ...server, clock }),
    notify: await notifierOf(server, issuer),
    records: state.records,
    derivedKeys: state.keys,
    events,
    clock,
    logger,
  })
  return login === undefined ? { ...logins, status: NO_LOGINS } : logins
}

/** The upstream IdPs of the login, by their ids. The library of their client is loaded where there is one. */
const upstreamIdpsOf = async (
  { login, url }: AuthorizationServer,
  parts: UpstreamRequestParts,
): Promise<ReadonlyMap<string, UpstreamIdp>> => {
  if (login === undefined || login.providers.length === 0) return new Map()
  const upstream = await import('../logins/upstream-idp/upstream-idp.ts')
  return upstream.upstreamIdpsOf(login.providers, url, parts)
}

const NOT_CONFIGURED: LoginCheck<LocalLogin> = {
  check: async () => await Promise.resolve({ outcome: 'ended', detail: 'it is not configured' }),
}

const notConfigured: DescribeAccount = () => {
  throw new TypeError('no login is configured')
}
