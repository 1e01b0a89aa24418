// The claims of a login's tokens about its user: the templates of ID tokens and of each resource, applied once when the
// login is made or checked again.

import type { Identity } from '../../identity/identity.ts'
import type { AccountResult, DescribeAccount } from '../../logins/accounts.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { TokenClaims, TokenTemplate } from './token-template.ts'

/** The templates of one configuration. */
export interface AccountTemplates {
  /** Of ID tokens and the userinfo endpoint. */
  readonly template: TokenTemplate
  /** Of access tokens, by the resource. */
  readonly resources: ReadonlyMap<string, { readonly template: TokenTemplate | undefined }>
  readonly clock: Clock
}

/** Describes accounts by these templates. */
export const accountDescriber =
  ({ template: own, resources, clock }: AccountTemplates): DescribeAccount =>
  (identity: Identity): AccountResult => {
    const result = own.apply(identity)
    if (result.outcome === 'failed') return result
    // The provider writes `amr`, `acr` and `auth_time` into ID tokens by itself.
    const { sub, amr: _amr, acr: _acr, ...claims } = withoutParties(result.claims)
    if (typeof sub !== 'string') throw new TypeError('a template without a subject')
    const claimsByResource: Record<string, TokenClaims> = {}
    for (const [uri, { template }] of resources) {
      const applied = template?.apply(identity)
      if (applied?.outcome === 'failed') {
        return { ...applied, detail: `resources.${uri}: ${applied.detail}` }
      }
      if (applied === undefined) continue
      const { sub: _sub, ...further } = withoutParties(applied.claims)
      const time = applied.authTime === undefined ? {} : { auth_time: applied.authTime }
      claimsByResource[uri] = { ...further, ...time }
    }
    return {
      outcome: 'known',
      account: {
        subject: sub,
        claims,
        resources: claimsByResource,
        began: clock.now(),
        expires: identity.expires,
      },
    }
  }

/** `iss` and `aud` differ from token to token. */
const withoutParties = ({ iss: _iss, aud: _aud, ...claims }: TokenClaims): TokenClaims => claims
