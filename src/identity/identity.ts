// Who the caller is, in one shape whatever the credential was. Everything behind authentication
// knows only this.

import type { IDENTITY_REFUSALS } from './examples-schema.ts'
import type { Claims } from './claims.ts'
import type { CertificateFields } from './certificate-fields.ts'
import type { PresentedCredential } from './presented-credential.ts'

/**
 * How an identity can be proven, with the `amr` of each method (RFC 8176): `claims` where it is the token's own;
 * `undefined` where none has a registered name.
 */
export const METHOD_AMR = {
  basic: ['pwd'],
  bearer: 'claims',
  // Proof of possession; whether the key is in hardware (hwk) or not (swk) is unknown.
  certificate: ['pop'],
  'api-key': undefined,
  session: 'claims',
  anonymous: undefined,
} as const satisfies Readonly<Record<string, readonly string[] | 'claims' | undefined>>

/** How an identity was proven. */
export type AuthenticationMethod = keyof typeof METHOD_AMR

/** Whether a text names an authentication method. */
export const isAuthenticationMethod = (text: string): text is AuthenticationMethod =>
  Object.hasOwn(METHOD_AMR, text)

/** What an authenticator proved, before the mapping of `identity`. */
export interface ProvenCredential {
  readonly method: AuthenticationMethod
  /** A keyed, truncated hash of the credential, by which the audit log distinguishes credentials. */
  readonly digest: string
  readonly user: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  /** Further attributes by key, as Kubernetes' `UserInfo.extra` has them. */
  readonly extra: Readonly<Record<string, readonly string[]>>
  /** When the credential ends, in milliseconds since the epoch; absent when it does not say. */
  readonly expires?: number | undefined
  /**
   * How long one request by it may last, in milliseconds, where the credential can be ended before it
   * expires; absent for no bound but `expires`.
   */
  readonly requestLimit?: number | undefined
  /**
   * When the caller presented it, in milliseconds since the epoch; absent if another server verified
   * the user before (tokens), or if no user is involved (API keys).
   */
  readonly authenticatedAt?: number | undefined
  /** How, where it was more than one credential: all methods of them (RFC 8176). */
  readonly methods?: readonly string[] | undefined
  /** Finds the account again at the verifier that proved its password: opaque, without a secret. */
  readonly account?: string | undefined
  /** The claims, where the credential is a token. */
  readonly claims?: Claims | undefined
  /** The fields of the certificate, where the credential is one. */
  readonly certificate?: CertificateFields | undefined
  /** Which credential it was, for audit; absent for passwords, and where nothing names it. */
  readonly presented?: PresentedCredential | undefined
  /** That certificate itself, DER. */
  readonly certificateDer?: Buffer | undefined
}

/** A proven caller, fit to be named to an upstream. Only {@link IdentityMapping} makes one. */
export interface Identity extends ProvenCredential {
  /** The authenticator, by its name in the configuration. */
  readonly authenticator: string
  /** How many groups were cut off by the limits of the configuration; absent where none was. */
  readonly groupsOmitted?: number
}

/** Why a proven credential yields no identity. */
export type IdentityRefusal = (typeof IDENTITY_REFUSALS)[number]
