// How the phases of a check follow one another: synchronously where no phase is asynchronous. A denial ends them,
// and what a phase throws is a denial that names what was known before it.

import { DeadlineNear } from '../runtime/grpc/unary.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { CheckContext } from './context.ts'
import { deny, type Decision, type Denial } from './decision.ts'
import type { CheckWatch, PhaseName } from './watch.ts'

/** The outcome of a phase: the next context, or the end of the check. */
export type Step<T> = T | Denial

/** What every phase of a check gets, and who follows it. */
export interface PhaseSurroundings<State> {
  readonly state: State
  readonly signal: AbortSignal
  readonly watch: CheckWatch | undefined
}

/** One phase. Its function is of the module, since a closure for each request would be made anew. */
export interface Phase<From, To, State> {
  readonly name: PhaseName
  readonly run: (context: From, surroundings: PhaseSurroundings<State>) => MaybePromise<Step<To>>
}

/**
 * Runs a phase on the outcome of the one before it.
 *
 * Never throws and never rejects: a phase that does, and one that would start after the signal is aborted, is a
 * denial with `internal-error`, `deadline-exceeded` or `cancelled`.
 */
export const proceed = <From extends CheckContext, To extends CheckContext | Decision, State>(
  step: MaybePromise<Step<From>>,
  phase: Phase<From, To, State>,
  surroundings: PhaseSurroundings<State>,
): MaybePromise<Step<To>> =>
  step instanceof Promise
    ? step.then((settled) => watched(settled, phase, surroundings))
    : watched(step, phase, surroundings)

const watched = <From extends CheckContext, To extends CheckContext | Decision, State>(
  step: Step<From>,
  phase: Phase<From, To, State>,
  surroundings: PhaseSurroundings<State>,
): MaybePromise<Step<To>> => {
  if (isDenial(step)) return step
  const { watch } = surroundings
  return watch === undefined
    ? runOn(step, phase, surroundings)
    : watch.phase(phase.name, () => runOn(step, phase, surroundings))
}

const runOn = <From extends CheckContext, To extends CheckContext | Decision, State>(
  step: From,
  phase: Phase<From, To, State>,
  surroundings: PhaseSurroundings<State>,
): MaybePromise<Step<To>> => {
  const { signal } = surroundings
  try {
    signal.throwIfAborted()
    const next = phase.run(step, surroundings)
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
  if (!isDeadline(reason)) return deny(context, 'cancelled', { cause })
  const detail = reason instanceof DeadlineNear ? deadlineDetail(reason) : undefined
  return deny(context, 'deadline-exceeded', { cause, ...(detail === undefined ? {} : { detail }) })
}

/** Names the setting: Envoy's default of 200 ms is too short for a password hash. */
const deadlineDetail = ({ patience }: DeadlineNear): string =>
  `Envoy waits some ${Math.ceil(patience / ROUND_MS) * ROUND_MS} ms for a decision: see "timeout" of "grpc_service" in its ext_authz filter ("envoy.authzTimeout")`

// A part of the time is over when the call arrives.
const ROUND_MS = 10

/** Of a call, or of `AbortSignal.timeout`. */
const isDeadline = (reason: unknown): boolean =>
  reason instanceof DeadlineNear || (reason instanceof Error && reason.name === 'TimeoutError')
