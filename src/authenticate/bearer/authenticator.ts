// Bearer tokens (RFC 6750) that are signed JWTs: verified by the keys of their issuer, without a request to it. Opaque
// tokens and those of other issuers are left to other authenticators. Where configured, tokens may be bound to a key
// that the caller proves (RFC 9449).

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import { andThen, type MaybePromise } from '../../runtime/maybe-promise.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import type { EndedTokenCheck } from '../session/token-status.ts'
import {
  BEARER_LOCATIONS,
  UNREAD_BEARER_LOCATIONS,
  readBearerCredentials,
  USUAL_TOKEN_START,
  usualTokenLine,
  type BearerCredentials,
  type TokenScheme,
} from './bearer-credentials.ts'
import { mayUse } from './binding.ts'
import { tokenChallenges } from './challenges.ts'
import { holderCheck, type DpopOptions, type HolderVerdict } from './dpop.ts'
import { MALFORMED, Prover, type ProverOptions } from './prover.ts'

/** What a bearer authenticator needs. */
export interface BearerOptions extends ProverOptions {
  readonly realm: string
  /** Without it, tokens that are bound to a key are refused. */
  readonly dpop?: DpopOptions | undefined
  /** For tokens of Countersign's own issuer: whether the login has ended, or the user was signed out. */
  readonly isTokenEnded?: EndedTokenCheck | undefined
}

/** Makes an authenticator for bearer tokens of one issuer. */
export const bearerAuthenticator = (options: BearerOptions): Authenticator => {
  const { name, realm, dpop, isTokenEnded } = options
  const prover = new Prover(options)
  const mayHold = holding(dpop)
  const challenges = tokenChallenges(realm, dpop)
  const schemes = dpop === undefined ? BEARER_ONLY : BEARER_AND_DPOP
  const refuse = (rejection: Rejection, scheme: TokenScheme): Rejection => ({
    ...rejection,
    challenge: challenges.after(rejection.code, scheme),
  })
  // For every request: a bound token is refused without its certificate or key, also when it is cached.
  const admit = (
    authentication: Authentication,
    presented: Presented,
    request: Request,
  ): MaybePromise<Authentication> => {
    const { scheme } = presented
    if (authentication.outcome === 'rejected') return refuse(authentication, scheme)
    if (authentication.outcome !== 'authenticated') return authentication
    const { credential } = authentication
    const holder = mayHold(presented, request, credential)
    if (holder === PROVEN && isTokenEnded === undefined) return authentication
    return andThen(holder, (verdict) => {
      if (verdict.outcome === 'rejected') {
        const { user, presented: token } = credential
        return refuse({ ...verdict, user, presented: token }, scheme)
      }
      if (verdict.outcome === 'unavailable') return verdict
      if (isTokenEnded === undefined) return authentication
      return andThen(endingOf(credential, isTokenEnded), (ending) => {
        if (ending === undefined) return authentication
        return ending.outcome === 'rejected' ? refuse(ending, scheme) : ending
      })
    })
  }
  return {
    name,
    challenges: challenges.invitations,
    locations: BEARER_LOCATIONS,
    unread: UNREAD_BEARER_LOCATIONS,
    authenticate(request, signal) {
      const { headers } = request
      const usual = usualTokenLine(headers)
      const cached = usual && prover.recallValue(usual, USUAL_TOKEN_START)
      if (cached !== undefined) return admit(cached, BY_ITSELF, request)
      const credentials = readBearerCredentials(headers, schemes)
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') return refuse(MALFORMED, credentials.scheme)
      const presented = presentedBy(credentials)
      const outcome = prover.recallOrProve(credentials.token, signal)
      return outcome instanceof Promise
        ? outcome.then((settled) => admit(settled, presented, request))
        : admit(outcome, presented, request)
    },
  }
}

const BEARER_ONLY: readonly TokenScheme[] = ['bearer']
const BEARER_AND_DPOP: readonly TokenScheme[] = ['bearer', 'dpop']

type Rejection = Extract<Authentication, { outcome: 'rejected' }>

/** How a token is presented; its text where a proof of possession has to be about it. */
type Presented = { readonly scheme: 'bearer' } | { readonly scheme: 'dpop'; readonly token: string }

const BY_ITSELF: Presented = { scheme: 'bearer' }

const presentedBy = ({ scheme, token }: ReadCredentials): Presented =>
  scheme === 'bearer' ? BY_ITSELF : { scheme, token }

type ReadCredentials = Extract<BearerCredentials, { outcome: 'present' }>

/** Whether the caller may use a verified token. */
const holding = (dpop: DpopOptions | undefined) => {
  const check = dpop && holderCheck(dpop)
  return (
    presented: Presented,
    request: Request,
    credential: ProvenCredential,
  ): HolderVerdict | Promise<HolderVerdict> => {
    if (presented.scheme === 'dpop' && check !== undefined) {
      return check(request, presented.token, credential)
    }
    const { claims = {} } = credential
    if (dpop?.require === true && claims['cnf'] === undefined) return UNBOUND
    return mayUse(claims, request.peerCertificate) ? PROVEN : UNBOUND
  }
}

/** Why a verified token is refused before it expires; `undefined` where it is not. */
const endingOf = async (
  { user, presented, claims = {} }: ProvenCredential,
  isTokenEnded: EndedTokenCheck,
): Promise<Rejection | Extract<Authentication, { outcome: 'unavailable' }> | undefined> => {
  try {
    const ended = await isTokenEnded(claims)
    return ended ? { outcome: 'rejected', code: 'token-inactive', user, presented } : undefined
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

const PROVEN = { outcome: 'proven' } as const
const UNBOUND = { outcome: 'rejected', code: 'token-binding' } as const
