// How the phases of a check follow one another: synchronously where no phase is asynchronous. A denial ends them,
// and what a phase throws is a denial that names what was known before it.

import { DeadlineNear } from '../runtime/grpc/unary.ts'
import { andThen, type MaybePromise } from '../runtime/maybe-promise.ts'
import type { CheckContext } from './context.ts'
import { deny, type Denial } from './decision.ts'

/** The outcome of a phase: the next context, or the end of the check. */
export type Step<T> = T | Denial

/**
 * Runs a phase on the outcome of the one before it.
 *
 * Never throws and never rejects: a phase that does, and one that would start after the signal is aborted, is a
 * denial with `internal-error`, `deadline-exceeded` or `cancelled`.
 */
export const proceed = <From extends CheckContext, To extends object>(
  step: MaybePromise<Step<From>>,
  signal: AbortSignal,
  phase: (context: From) => MaybePromise<Step<To>>,
): MaybePromise<Step<To>> => andThen(step, (settled) => runOn(settled, signal, phase))

const runOn = <From extends CheckContext, To extends object>(
  step: Step<From>,
  signal: AbortSignal,
  phase: (context: From) => MaybePromise<Step<To>>,
): MaybePromise<Step<To>> => {
  if (isDenial(step)) return step
  try {
    signal.throwIfAborted()
    const next = phase(step)
    return next instanceof Promise
      ? next.catch((cause: unknown) => failure(cause, step, signal))
      : next
  } catch (cause) {
    return failure(cause, step, signal)
  }
}

const isDenial = (step: object): step is Denial => 'outcome' in step && step.outcome === 'deny'

const failure = (
  cause: unknown,
  context: CheckContext,
  { aborted, reason }: AbortSignal,
): Denial => {
  if (!aborted) return deny(context, 'internal-error', { cause })
  return deny(context, isDeadline(reason) ? 'deadline-exceeded' : 'cancelled', { cause })
}

/** Of a call, or of `AbortSignal.timeout`. */
const isDeadline = (reason: unknown): boolean =>
  reason instanceof DeadlineNear || (reason instanceof Error && reason.name === 'TimeoutError')
