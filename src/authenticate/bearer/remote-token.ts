// Bearer tokens that only a server can judge. What it said is remembered for a short while: whoever
// made a token may take it back.

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
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

/** What is configured for every authenticator of such tokens. */
export interface AskedTokenSettings {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /** Changes with every setting that an answer rests on. */
  readonly generation: string
  /** How long an answer is remembered at most, in milliseconds; 0 for not at all. */
  readonly cacheTtl: number
  readonly memory: CredentialCache
}

/** What makes one of them. */
interface AskedTokenOptions extends AskedTokenSettings {
  /**
   * How to ask about a token; `undefined` when it may not be shown to the server, and another
   * authenticator has its turn. What it returns never rejects, and is called once for all requests that
   * show the token at the same time.
   */
  questionAbout(token: string): ((asker: Asker) => Promise<Authentication>) | undefined
  /** Whether this caller may use what was proven of the token; looked at for every request. */
  mayUse?(facts: ProvenCredential, request: Request): boolean
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>

/** Makes an authenticator for bearer tokens that a server is asked about. */
export const askedTokenAuthenticator = (options: AskedTokenOptions): Authenticator => {
  const { name, realm, generation, cacheTtl, memory } = options
  const challenges = tokenChallenges(realm, undefined)
  const refuse = (rejection: Rejection): Rejection => ({
    ...rejection,
    challenge: challenges.after(rejection.code, 'bearer'),
  })
  // A token that is not good may be by the next time that somebody asks: soon.
  const lifetimes = { proof: cacheTtl, rejection: cacheTtl }
  const prove = async (
    token: string,
    source: string,
    signal: AbortSignal,
  ): Promise<Authentication> => {
    const key = memory.keyOf(generation, token)
    const facts = memory.get(key)
    if (facts !== undefined) return { outcome: 'authenticated', facts }
    const ask = options.questionAbout(token)
    if (ask === undefined) return { outcome: 'not-applicable' }
    return await shared(
      () => memory.getOrVerify(key, lifetimes, () => ask({ subject: key, caller: source })),
      signal,
    )
  }
  return {
    name,
    challenges: challenges.invitations,
    locations: BEARER_LOCATIONS,
    unread: UNREAD_BEARER_LOCATIONS,
    async authenticate(request, signal) {
      const credentials = readBearerCredentials(request.headers)
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') {
        return refuse({ outcome: 'rejected', code: 'credential-malformed' })
      }
      const authentication = await prove(credentials.token, request.source.address, signal)
      if (authentication.outcome === 'rejected') return refuse(authentication)
      if (authentication.outcome !== 'authenticated') return authentication
      const { facts } = authentication
      return options.mayUse?.(facts, request) === false
        ? refuse({
            outcome: 'rejected',
            code: 'token-binding',
            user: facts.user,
            shown: facts.shown,
          })
        : authentication
    },
  }
}
