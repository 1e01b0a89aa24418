// Phase 6 explained: what would be forwarded in place of what the caller sent.

import { readToken } from '../../authenticate/bearer/token.ts'
import type { SecretParameters } from '../../request/query.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { HeaderPair } from '../../transform/transformer.ts'
import type { CheckAnswer } from '../../check/answer/answer.ts'
import type { Decision } from '../../check/decision.ts'
import { WITHHELD } from '../../check/record.ts'
import type { PhaseOutcome } from './outcome.ts'
import { withhold } from './request.ts'
import type { Trace } from './trace.ts'

/** Phase 6: what the upstream would see. */
export interface TransformPhase {
  readonly outcome: PhaseOutcome
  /** The kinds of credential that are made. */
  readonly kinds?: readonly string[]
  /** Headers that are set, one value for each line. */
  readonly set: readonly ShownHeader[]
  /** Headers of the caller that are taken out. */
  readonly remove: readonly string[]
  /** The claims of tokens among those headers; a token without its signature is harmless. */
  readonly tokens?: readonly ShownToken[]
  /** Digest of the grant for a client certificate. */
  readonly certificate?: string
  /** Why it ended here: the reason, as audit has it. */
  readonly code?: string
}

/** A token, as far as it may be shown. */
interface ShownToken {
  /** The header that contains it. */
  readonly header: string
  readonly claims: JsonObject
}

/** A header, and what of its values may be shown. */
interface ShownHeader {
  readonly name: string
  readonly values: readonly string[]
}

/** Explains what would be forwarded. */
export const explainTransformation = (
  decision: Decision,
  answer: CheckAnswer,
  { verdict }: Trace,
  secrets: SecretParameters,
): TransformPhase => {
  if (verdict?.outcome !== 'permit') return { outcome: 'not-reached', set: [], remove: [] }
  if (decision.outcome === 'deny' || !answer.allow) {
    return { outcome: 'miss', set: [], remove: [], code: decision.reason }
  }
  const { credentials } = decision
  const lines = [
    ...answer.setHeaders.map(([name, value]) => ({ name, values: [value] })),
    ...answer.repeatedHeaders,
  ]
  return {
    outcome: 'hit',
    kinds: credentials.kinds,
    set: lines.map(({ name, values }) => ({
      name,
      values: values.map((value) => shownValue(name, value, secrets)),
    })),
    remove: answer.removeHeaders,
    ...(credentials.tokenIds === undefined
      ? {}
      : { tokens: tokensIn(answer.setHeaders, credentials.tokenIds) }),
    ...(credentials.secret === undefined ? {} : { certificate: credentials.secret.digest }),
  }
}

const tokensIn = (headers: readonly HeaderPair[], ids: readonly string[]): readonly ShownToken[] =>
  headers.flatMap(([header, value]) => {
    const reading = readToken(value.replace(/^Bearer /, ''))
    if (reading.outcome !== 'token') return []
    const { claims } = reading.token
    return ids.includes(String(claims['jti'])) ? [{ header, claims: shownClaims(claims) }] : []
  })

// The identity, and how it was proven; the rest of a token may be private.
const SHOWN_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'groups',
  'client_id',
  'amr',
  'acr',
  'auth_time',
  'iat',
  'exp',
  'jti',
])

const shownClaims = (claims: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      SHOWN_CLAIMS.has(name) ? value : WITHHELD,
    ]),
  )

// The values of these are an identity, or a number; any other header that is set may be a credential.
const SHOWN = ['audit-id', 'x-remote-', 'impersonate-', 'x-cert-', 'x-webauth-', 'x-envoy-']

const shownValue = (name: string, value: string, secrets: SecretParameters): string => {
  if (SHOWN.some((prefix) => name.startsWith(prefix))) return value
  if (name !== ':path') return WITHHELD
  const mark = value.indexOf('?')
  if (mark === -1) return value
  return `${value.slice(0, mark)}?${withhold(value.slice(mark + 1), secrets)}`
}
