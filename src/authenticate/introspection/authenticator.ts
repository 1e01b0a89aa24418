// Bearer tokens that are verified by their issuer (OAuth 2.0 Token Introspection, RFC 7662). A response is cached for
// a short while only, since the issuer may revoke the token.

import { tokenUser } from '../../identity/default-names.ts'
import type { ProvenCredential } from '../../identity/identity.ts'
import { presentedToken } from '../../identity/presented-credential.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Asker } from '../../runtime/shared-server.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { fingerprintOf } from '../credential-cache.ts'
import { remoteTokenAuthenticator, type RemoteTokenSettings } from '../bearer/remote-token.ts'
import { mayUse } from '../bearer/binding.ts'
import type { ClientAuthentication } from '../../clients/token-endpoint/client-authentication.ts'
import type { Endpoint } from '../../clients/token-endpoint/endpoint.ts'
import { evaluateResponse, type ResponseRules } from './answer.ts'
import { isTime, freeze, readToken, type TokenReading } from '../bearer/token.ts'
import type { TokenServer } from '../../clients/token-endpoint/server.ts'

/** The options of an introspection authenticator. */
export interface IntrospectionOptions extends ResponseRules, RemoteTokenSettings {
  /**
   * `opaque`: only tokens that are not signed JWTs. `any`: JWTs too, except those of another issuer, which must not be
   * disclosed to this one.
   */
  readonly tokens: 'opaque' | 'any'
  readonly endpoint: Endpoint
  readonly client: ClientAuthentication
  readonly server: TokenServer
  readonly clock: Clock
}

/** Makes an authenticator for bearer tokens that their issuer introspects. */
export const introspectionAuthenticator = (options: IntrospectionOptions): Authenticator =>
  remoteTokenAuthenticator({
    ...options,
    requestFor(token) {
      const reading = readToken(token)
      if (!isConcerned(options, reading)) return undefined
      return hasEnded(options, reading)
        ? () => Promise.resolve({ outcome: 'rejected', code: 'token-expired' })
        : (asker) => introspect(options, asker, token)
    },
    mayUse: ({ claims = {} }, { peerCertificate }) => mayUse(claims, peerCertificate),
  })

const isConcerned = ({ tokens, issuer }: IntrospectionOptions, reading: TokenReading): boolean => {
  if (reading.outcome === 'opaque') return true
  if (tokens === 'opaque') return false
  if (reading.outcome === 'malformed') return true // its issuer may accept it all the same
  const { iss = issuer } = reading.token.claims
  return iss === issuer
}

/** The claim is not verified, but an expired `exp` is refused whatever the signature is: no request is needed. */
const hasEnded = ({ skew, clock }: IntrospectionOptions, reading: TokenReading): boolean => {
  const exp = reading.outcome === 'token' ? reading.token.claims['exp'] : undefined
  return isTime(exp) && exp * 1_000 + skew <= clock.now()
}

/** Sends the request, and evaluates the response. Shared by all concurrent requests with this token; never rejects. */
const introspect = async (
  options: IntrospectionOptions,
  asker: Asker,
  token: string,
): Promise<Authentication> => {
  const { issuer, endpoint, client, server, clock, generation, cache } = options
  try {
    const prepare = async (signal: AbortSignal) => {
      const url = await endpoint(signal)
      const { headers, form } = client(url)
      // RFC 7662 §2.1.
      const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...form })
      return { url, headers: { ...FORM, ...headers }, body: body.toString() }
    }
    const { answer, judgement } = await server.ask(asker, prepare, (document) => {
      const judged = evaluateResponse(document, options, clock.now())
      if (judged.outcome !== 'malformed') return { answer: document, judgement: judged }
      throw new Error(`the introspection endpoint answered nonsense: ${judged.what}`)
    })
    const user = judgement.subject && tokenUser(issuer, judgement.subject)
    if (judgement.outcome === 'rejected') {
      const { outcome, code, detail } = judgement
      return {
        outcome,
        code,
        ...(detail === undefined ? {} : { detail }),
        ...(user === undefined ? {} : { user }),
      }
    }
    const digest = fingerprintOf(cache.keyOf(generation, token))
    const credential = credentialOf(tokenUser(issuer, judgement.subject), digest, judgement.expires)
    // Some servers use an opaque token as its own `jti`.
    const presented = presentedToken(answer, true, token)
    return {
      outcome: 'authenticated',
      credential: { ...credential, claims: freeze(answer), presented },
    }
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  accept: 'application/json',
} as const

const credentialOf = (
  user: string,
  digest: string,
  expires: number | undefined,
): ProvenCredential => ({
  method: 'bearer',
  digest,
  user,
  groups: [],
  extra: {},
  expires,
})
