// Who the caller is, in one shape whatever the credential was. Everything behind authentication
// knows only this.

/** How an identity was proven. */
export type AuthenticationMethod = 'basic'

/** What an authenticator proved, before the configuration has its say. */
export interface Facts {
  readonly method: AuthenticationMethod
  /** A keyed, truncated hash of the credential: tells two apart in the audit log, and no more. */
  readonly credential: string
  readonly user: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  /** Further attributes by key, as Kubernetes' `UserInfo.extra` has them. */
  readonly extra: Readonly<Record<string, readonly string[]>>
  /** When the credential ends, in milliseconds since the epoch; absent when it does not say. */
  readonly expires?: number | undefined
}

/** A proven caller, fit to be named to an upstream. Only {@link IdentityMapping} makes one. */
export interface Identity extends Facts {
  /** The authenticator, by its name in the configuration. */
  readonly authenticator: string
}

/** Why proven facts are no identity. */
export type IdentityRefusal = 'identity-reserved' | 'identity-unrepresentable'
