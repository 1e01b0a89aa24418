// Bearer tokens that only their issuer can judge, which is asked about each (OAuth 2.0 Token
// Introspection, RFC 7662). What it said is remembered for a short while: it may revoke a token.

import { tokenUser } from '../identity/default-names.ts'
import type { Facts } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import { abandonable } from './abandonable.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import type { CredentialKey, FactMemory } from './facts.ts'
import { BEARER_CARRIERS, readBearerCredentials } from './token/bearer-credentials.ts'
import { mayUse } from './token/binding.ts'
import { tokenChallenges } from './token/challenges.ts'
import type { ClientAuthentication } from './token/client-authentication.ts'
import type { Endpoint } from './token/endpoint.ts'
import { judgeAnswer, type AnswerRules } from './token/introspection-answer.ts'
import { freeze, readToken } from './token/token.ts'
import type { TokenServer } from './token/token-server.ts'

/** What an introspection authenticator needs. */
export interface IntrospectionOptions extends AnswerRules {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /**
   * `opaque`: tokens that are no signed JWTs; those are passed on. `any`: JWTs too, but for those of
   * another issuer, to whom ours must not be shown a token of.
   */
  readonly tokens: 'opaque' | 'any'
  readonly endpoint: Endpoint
  readonly client: ClientAuthentication
  readonly server: TokenServer
  /** Changes with every setting that an answer rests on. */
  readonly generation: string
  /** How long an answer is remembered at most, in milliseconds; 0 for not at all. */
  readonly remember: number
  readonly clock: Clock
  readonly memory: FactMemory
}

// Enough of the key to tell credentials apart in an audit log, too little to be the key.
const FINGERPRINT_LENGTH = 16

/** Makes an authenticator for bearer tokens that their issuer is asked about. */
export const introspectionAuthenticator = (options: IntrospectionOptions): Authenticator => {
  const { name, realm, generation, memory, remember } = options
  const challenges = tokenChallenges(realm, undefined)
  const refuse = (rejection: Rejection): Rejection => ({
    ...rejection,
    challenge: challenges.after(rejection.code, 'bearer'),
  })
  // A token that is not good may be by the next time that somebody asks: soon.
  const lifetimes = { proof: remember, rejection: remember }
  const recall = (key: CredentialKey): Authentication | undefined => {
    const facts = memory.recall(key)
    return facts && { outcome: 'authenticated', facts }
  }
  const ask = async (
    key: CredentialKey,
    token: string,
    signal: AbortSignal,
  ): Promise<Authentication> => {
    if (!isConcerned(options, token)) return { outcome: 'not-applicable' }
    // Before the question: nobody would be left to hear the answer.
    signal.throwIfAborted()
    const proof = memory.proofOf(key, lifetimes, async () => await introspect(options, token))
    return await abandonable(proof, signal)
  }
  return {
    name,
    challenges: challenges.invitations,
    carriers: BEARER_CARRIERS,
    async authenticate(request, signal) {
      const credentials = readBearerCredentials(request.headers)
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') {
        return refuse({ outcome: 'rejected', code: 'credential-malformed' })
      }
      const { token } = credentials
      const key = memory.keyOf(generation, token)
      const authentication = recall(key) ?? (await ask(key, token, signal))
      if (authentication.outcome === 'rejected') return refuse(authentication)
      if (authentication.outcome !== 'authenticated') return authentication
      // For every request: a token that was proven with its certificate is worth nothing without.
      const { claims = {}, user } = authentication.facts
      return mayUse(claims, request.peerCertificate)
        ? authentication
        : refuse({ outcome: 'rejected', code: 'token-unbound', user })
    },
  }
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>

const isConcerned = ({ tokens, issuer }: IntrospectionOptions, token: string): boolean => {
  const reading = readToken(token)
  if (reading.outcome === 'opaque') return true
  if (tokens === 'opaque') return false
  if (reading.outcome === 'malformed') return true // as its issuer may have made it
  const { iss = issuer } = reading.token.claims
  return iss === issuer
}

/** Asks, and judges the answer. Shared by all requests that show this token now; never rejects. */
const introspect = async (
  options: IntrospectionOptions,
  token: string,
): Promise<Authentication> => {
  const { issuer, endpoint, client, server, clock, generation, memory } = options
  try {
    const answer = await server.ask(async (signal) => {
      const url = await endpoint(signal)
      const { headers, form } = client(url)
      // RFC 7662 §2.1.
      const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...form })
      return { url, headers: { ...FORM, ...headers }, body: body.toString() }
    })
    const judgement = judgeAnswer(answer, options, clock.now())
    if (judgement.outcome === 'malformed') {
      throw new Error(`the introspection endpoint answered nonsense: ${judgement.what}`)
    }
    const user = judgement.subject && tokenUser(issuer, judgement.subject)
    if (judgement.outcome === 'rejected') {
      const { outcome, code } = judgement
      return user === undefined ? { outcome, code } : { outcome, code, user }
    }
    const credential = memory.keyOf(generation, token).slice(0, FINGERPRINT_LENGTH)
    const facts = factsOf(tokenUser(issuer, judgement.subject), credential, judgement.expires)
    return { outcome: 'authenticated', facts: { ...facts, claims: freeze(answer) } }
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  accept: 'application/json',
} as const

const factsOf = (user: string, credential: string, expires: number | undefined): Facts => ({
  method: 'bearer',
  credential,
  user,
  groups: [],
  extra: {},
  expires,
})
