// Bearer tokens that only a server can verify. Its answer is cached for a short while only, since a token may be
// revoked.

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import { andThen, type MaybePromise } from '../../runtime/maybe-promise.ts'
import type { Asker } from '../../runtime/shared-server.ts'
import { shared } from '../../runtime/shared.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import type { CredentialCache } from '../credential-cache.ts'
import {
  BEARER_LOCATIONS,
  readBearerCredentials,
  UNREAD_BEARER_LOCATIONS,
} from './bearer-credentials.ts'
import { tokenChallenges } from './challenges.ts'

/** The configuration of every authenticator of such tokens. */
export interface RemoteTokenSettings {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /** Changes with every setting that an answer depends on. */
  readonly generation: string
  /** How long an answer is cached at most, in milliseconds; 0 for no caching. */
  readonly cacheTtl: number
  readonly cache: CredentialCache
}

/** The options of one of them. */
interface RemoteTokenOptions extends RemoteTokenSettings {
  /**
   * The request for a token; `undefined` when the token may not be sent to the server, and the authenticator is not
   * applicable. The returned function never rejects, and is called once for all concurrent requests with the token.
   */
  requestFor(token: string): ((asker: Asker) => Promise<Authentication>) | undefined
  /** Whether the caller may use the verified token; called for every request. */
  mayUse?(credential: ProvenCredential, request: Request): boolean
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>

/** Makes an authenticator for bearer tokens that a server verifies. */
export const remoteTokenAuthenticator = (options: RemoteTokenOptions): Authenticator => {
  const { name, realm, generation, cacheTtl, cache } = options
  const challenges = tokenChallenges(realm, undefined)
  const refuse = (rejection: Rejection): Rejection => ({
    ...rejection,
    challenge: challenges.after(rejection.code, 'bearer'),
  })
  // A rejected token may be valid at the next request, so it is cached for some seconds only.
  const lifetimes = { proof: cacheTtl, rejection: cacheTtl }
  const prove = (
    token: string,
    source: string,
    signal: AbortSignal,
  ): MaybePromise<Authentication> => {
    const key = cache.keyOf(generation, token)
    const credential = cache.get(key)
    if (credential !== undefined) return { outcome: 'authenticated', credential }
    const ask = options.requestFor(token)
    if (ask === undefined) return { outcome: 'not-applicable' }
    return shared(
      () => cache.getOrVerify(key, lifetimes, () => ask({ subject: key, caller: source })),
      signal,
    )
  }
  return {
    name,
    challenges: challenges.invitations,
    locations: BEARER_LOCATIONS,
    unread: UNREAD_BEARER_LOCATIONS,
    authenticate(request, signal) {
      const credentials = readBearerCredentials(request.headers)
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') {
        return refuse({ outcome: 'rejected', code: 'credential-malformed' })
      }
      return andThen(prove(credentials.token, request.source.address, signal), (authentication) => {
        if (authentication.outcome === 'rejected') return refuse(authentication)
        if (authentication.outcome !== 'authenticated') return authentication
        const { user, presented } = authentication.credential
        return options.mayUse?.(authentication.credential, request) === false
          ? refuse({ outcome: 'rejected', code: 'token-binding', user, presented })
          : authentication
      })
    },
  }
}
