// The content of a refusal, before it has a format.

import type { Reason } from '../../audit/event.ts'

/** Why a check was refused. */
export type Refusal = Exclude<Reason, 'permitted'>

/** The public part of a refusal. */
export interface PublicRefusal {
  /** The decision id. */
  readonly id: string
  readonly reason: Refusal
  readonly status: number
  /** One or more sentences. */
  readonly text: string
  /** Whether the text is that of the rule's own `answer`. */
  readonly own: boolean
  /** The rule that refused, when one did. */
  readonly rule: string | undefined
  /** When to come back, in seconds. */
  readonly wait: number | undefined
}

/** A body, and its media type. */
export interface Body {
  readonly type: string
  readonly body: string
}
