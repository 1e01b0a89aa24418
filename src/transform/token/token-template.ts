// The configured claims and an identity → the claims of a token. Pure; its times and its name come later.

import type { MintConfig } from '../../keys/mint-schema.ts'
import { Budget, sharing } from '../../expression/budget.ts'
import type { TextExpression } from '../../expression/cel.ts'
import type { JsonValue } from '../../expression/json-value.ts'
import {
  authenticationContext,
  type AuthenticationContext,
} from '../../identity/authentication-context.ts'
import type { Identity } from '../../identity/identity.ts'
import { canBePassedOn } from '../../identity/mapping.ts'
import { variablesOf } from '../../identity/variables.ts'
import { ReservedValues } from '../reserved-values.ts'

/** Claims by name (RFC 7519 §4). */
export type TokenClaims = Readonly<Record<string, JsonValue>>

/** The claims of a token without its times, or why there is none. */
export type TemplateResult =
  | {
      readonly outcome: 'claims'
      /** Equal for every credential of one identity that was proven in the same ways. */
      readonly claims: TokenClaims
      /** `auth_time`; `undefined` where it is not known. */
      readonly authTime: number | undefined
    }
  | {
      readonly outcome: 'failed'
      readonly code: 'token-unmapped' | 'token-reserved'
      readonly detail: string
    }

/** The configuration of a token, without signature and lifetime. */
export type TemplateConfig = Pick<
  MintConfig,
  'kind' | 'audience' | 'subject' | 'groups' | 'claims' | 'clientId'
>

/** A template that can be applied to identities. */
export class TokenTemplate {
  readonly #config: TemplateConfig
  readonly #issuer: string
  readonly #reserved: ReservedValues

  /** @param allowReserved reserved names that the token may contain, each written out */
  constructor(config: TemplateConfig, issuer: string, allowReserved: readonly string[]) {
    this.#config = config
    this.#issuer = issuer
    this.#reserved = new ReservedValues(allowReserved)
  }

  /** The claims of the token of this identity. */
  apply(identity: Identity): TemplateResult {
    return sharing(new Budget(), () => this.#applied(identity))
  }

  #applied(identity: Identity): TemplateResult {
    const { kind, audience, subject, groups, claims: further, clientId } = this.#config
    const failures: string[] = []
    const variables = variablesOf(identity)
    const namesOf = (place: string, expression: TextExpression): readonly string[] => {
      const names = expression.evaluate(variables)
      if (names === undefined) failures.push(`${place}: ${expression.explain(variables)}`)
      else if (!names.every(canBePassedOn)) failures.push(`${place}: the value is not a valid name`)
      return names ?? []
    }
    const subjects = namesOf('subject', subject)
    if (subjects.length !== 1 && failures.length === 0) {
      failures.push(`subject: yields ${subjects.length} values, where one belongs`)
    }
    const groupNames = namesOf('groups', groups)
    const own: Record<string, JsonValue> = {}
    for (const [name, expression] of Object.entries(further)) {
      const result = expression.evaluate(variables)
      if (result === undefined) failures.push(`claims.${name}: ${expression.explain(variables)}`)
      else if (result.value !== undefined) own[name] = result.value
    }
    if (failures.length > 0) return failed('token-unmapped', failures.join('; '))
    const said = {
      sub: subjects.join(),
      ...(groupNames.length > 0 && { groups: groupNames }),
      ...own,
    }
    if (this.#reserved.isIn(said, identity)) {
      return failed('token-reserved', 'a claim contains a reserved name')
    }
    const context = authenticationContext(identity)
    const claims: TokenClaims = {
      iss: this.#issuer,
      aud: audience.length === 1 ? audience.join() : audience,
      ...(kind === 'access_token' && { client_id: clientId }),
      ...contextClaims(context),
      ...said,
    }
    return { outcome: 'claims', claims, authTime: context.time }
  }
}

const contextClaims = ({ methods, contextClass }: AuthenticationContext): TokenClaims => ({
  ...(methods === undefined ? {} : { amr: methods }),
  ...(contextClass === undefined ? {} : { acr: contextClass }),
})

const failed = (code: 'token-unmapped' | 'token-reserved', detail: string): TemplateResult => ({
  outcome: 'failed',
  code,
  detail,
})
