// The seam for following a check through its phases, such as by spans. A check without a watch costs a comparison more for each
// phase.

import type { UnaryCall } from '../runtime/grpc/unary.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { SpanReference } from '../runtime/tracing/span.ts'
import type { CheckContext } from './context.ts'
import type { Decision, Denial } from './decision.ts'

/** The phases of a check, in their order, except the last one, audit. */
export type PhaseName = 'request' | 'authenticate' | 'identity' | 'authorize' | 'transform'

/** Follows one check. No method throws, and none changes what is decided. */
export interface CheckWatch {
  /** The span of the check, where a collector gets it. */
  readonly span: SpanReference | undefined
  /**
   * Runs a phase.
   *
   * @param run the phase; it neither throws nor rejects
   * @returns what it returns
   */
  phase<T extends CheckContext | Decision>(
    name: PhaseName,
    run: () => MaybePromise<T | Denial>,
  ): MaybePromise<T | Denial>
  /** The check is decided; its audit event is written next. */
  decided(decision: Decision, id: string): void
  /** The answer leaves: of another decision where the audit event could not be written. */
  answered(decision: Decision): void
}

/** Chooses the checks that are followed. */
export interface CheckWatcher {
  /** The watch of a check that begins; undefined for those that are not followed. */
  watch(call: UnaryCall): CheckWatch | undefined
}
