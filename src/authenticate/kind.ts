// The interface of a kind of credential to the rest of the program: one object for each, in kinds.ts.

import type * as z from 'zod'
import type { Subject } from '../expression/environments.ts'
import type { AuthenticationMethod } from '../identity/identity.ts'
import type { CredentialLocation } from '../request/credential-location.ts'
import type { Authenticator } from './authenticator.ts'
import type { AuthenticatorParts } from './parts.ts'

/** What a verified credential of a kind can contain besides an account. */
export type ProofPart =
  /** The claims of a token. */
  | 'claims'
  | 'certificate'
  /** A token that an upstream or an authorization server accepts. */
  | 'token'

/** One kind of credential, as its section of `authenticators` configures it. */
export interface AuthenticatorKind<Config = unknown> {
  /** The section. */
  readonly schema: z.ZodType<Config>
  /** What `identity` expressions can refer to. */
  readonly subject: Subject
  readonly method: AuthenticationMethod
  readonly proves: readonly ProofPart[]
  /** Every location of its credential, and of proofs that come with it, in a request to Envoy. */
  locations(config: Config): readonly CredentialLocation[]
  /** Builds the authenticator; `undefined` where there are problems with it. */
  build(
    name: string,
    config: Config,
    parts: AuthenticatorParts,
  ): Authenticator | undefined | Promise<Authenticator | undefined>
}
