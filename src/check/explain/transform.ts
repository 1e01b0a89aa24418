// Phase 6 explained: what would be forwarded in place of what the caller sent.

import type { SecretParameters } from '../../request/query.ts'
import type { CheckAnswer } from '../answer/answer.ts'
import type { Decision } from '../decision.ts'
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
  /** Digest of the grant for a client certificate. */
  readonly certificate?: string
  /** Why it ended here: the reason, as audit has it. */
  readonly code?: string
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
  secrets: SecretParameters | undefined,
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
    ...(credentials.secret === undefined ? {} : { certificate: credentials.secret.digest }),
  }
}

// What these say is an identity, or a number; any other header that is set may be a credential.
const SHOWN = ['x-remote-', 'impersonate-', 'x-cert-', 'x-envoy-']

const shownValue = (name: string, value: string, secrets: SecretParameters | undefined): string => {
  if (SHOWN.some((prefix) => name.startsWith(prefix))) return value
  if (name !== ':path') return '[withheld]'
  const mark = value.indexOf('?')
  if (mark === -1) return value
  return `${value.slice(0, mark)}?${withhold(value.slice(mark + 1), secrets)}`
}
