// What is known of a check. Each phase makes the next context from the one before; none is changed.

import type { ChainResult } from '../authenticate/chain.ts'
import type { Permit, ShadowVerdict } from '../authorize/evaluate.ts'
import type { Identity } from '../identity/identity.ts'
import type { PresentedCredential } from '../identity/presented-credential.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import type { Request } from '../request/request.ts'
import type { Target } from '../request/target.ts'
import type { Route } from './route.ts'

/** What is known at the end of a check, whichever phase ended it. Empty where the message does not decode. */
export interface CheckContext {
  /** What Envoy sent. */
  readonly attributes?: CheckAttributes
  readonly request?: Request
  readonly route?: Route
  /** The requested operation or resource, in the terms of the service. */
  readonly target?: Target
  /** The name of the authenticator that decided. */
  readonly authenticator?: string
  /** The credential that the request carries; for audit alone. */
  readonly presented?: PresentedCredential
  readonly identity?: Identity
  /** The rules in shadow that would have decided. */
  readonly shadows?: readonly ShadowVerdict[]
}

/** Before phase 1. */
export interface ReceivedContext extends CheckContext {
  readonly attributes: CheckAttributes
}

/** After phase 2: the request has one reading, and a route. */
export interface RoutedContext extends ReceivedContext {
  readonly request: Request
  readonly route: Route
  readonly target: Target
}

/** After phase 3: the result of the route's authenticators. */
export interface AuthenticatedContext extends RoutedContext {
  readonly result: ChainResult
}

/** After phase 4: the credential is proven, and its identity may be named to an upstream. */
export interface IdentifiedContext extends RoutedContext {
  readonly authenticator: string
  readonly identity: Identity
}

/** After phase 5: a rule allows the request. */
export interface PermittedContext extends IdentifiedContext {
  readonly permit: Permit
  readonly shadows: readonly ShadowVerdict[]
}
