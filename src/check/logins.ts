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
import type { UpstreamRequestMetrics } from '../logins/upstream-idp/fetch.ts'
import { upstreamIdpsOf } from '../logins/upstream-idp/upstream-idp.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { State } from '../state/state.ts'
import { accountDescriber } from '../transform/token/account-claims.ts'
import type { AuthorizationServer } from './authorization-server.ts'

/** What the logins of all configurations share. */
export interface LoginResources {
  readonly events: LoginEventSink
  readonly metrics: UpstreamRequestMetrics
  /** Makes what notifies the clients of an authorization server. */
  readonly notifierOf: (server: AuthorizationServer, issuer: Issuer) => NotifyClient
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
export const loginsOf = (
  server: AuthorizationServer,
  { issuer, resources, state, clock, logger }: OpeningLoginsParts,
): Logins => {
  const { login, url } = server
  const { events, metrics, notifierOf } = resources
  const logins = openLogins({
    upstreamIdps: upstreamIdpsOf(login?.providers ?? [], url, { metrics, clock }),
    local: login === undefined ? NOT_CONFIGURED : new LocalRecheck({ ...login, clock }),
    describe:
      login === undefined ? notConfigured : accountDescriber({ ...login, ...server, clock }),
    notify: notifierOf(server, issuer),
    records: state.records,
    derivedKeys: state.keys,
    events,
    clock,
    logger,
  })
  return login === undefined ? { ...logins, status: NO_LOGINS } : logins
}

const NOT_CONFIGURED: LoginCheck<LocalLogin> = {
  check: async () => await Promise.resolve({ outcome: 'ended', detail: 'it is not configured' }),
}

const notConfigured: DescribeAccount = () => {
  throw new TypeError('no login is configured')
}
