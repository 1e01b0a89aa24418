// How a caller was authenticated, in the words of tokens: `amr`, `acr` and `auth_time` (OpenID Connect
// Core §2, RFC 8176). Only what is known is said.

import { textsIn } from '../runtime/json-object.ts'
import type { Claims } from './claims.ts'
import { METHOD_AMR, type ProvenCredential } from './identity.ts'

/** What can be said; nothing is made up. */
export interface AuthenticationContext {
  /** `amr`: methods (IANA, "Authentication Method Reference Values"). */
  readonly methods?: readonly string[]
  /** `acr`: as the issuer of the caller's token said it. */
  readonly contextClass?: string
  /** `auth_time`, in seconds since the epoch. */
  readonly time?: number
}

type Described = Pick<ProvenCredential, 'method' | 'methods' | 'authenticatedAt' | 'claims'>

/** How a credential was proven; for a token, by the claims of its issuer, which authenticated the caller. */
export const authenticationContext = (credential: Described): AuthenticationContext => {
  const { claims = {}, method, authenticatedAt } = credential
  const methods = credential.methods ?? methodsOf(credential)
  const acr = method === 'bearer' ? claims['acr'] : undefined
  const time = authenticatedAt === undefined ? tokenTime(credential) : authenticatedAt / 1_000
  return {
    ...(methods === undefined ? {} : { methods }),
    ...(typeof acr === 'string' ? { contextClass: acr } : {}),
    ...(time === undefined ? {} : { time: Math.floor(time) }),
  }
}

/** The methods of one credential; `undefined` where none has a registered name. */
export const methodsOf = ({ method, claims = {} }: Described): readonly string[] | undefined => {
  const amr = METHOD_AMR[method]
  return amr === 'claims' ? methodsIn(claims) : amr
}

const methodsIn = ({ amr }: Claims): readonly string[] | undefined => {
  const methods = textsIn(amr)
  return methods.length === 0 ? undefined : methods
}

const tokenTime = ({ method, claims = {} }: Described): number | undefined => {
  const time = claims['auth_time']
  return method === 'bearer' && typeof time === 'number' && time >= 0 ? time : undefined
}
