// How much the evaluation of expressions may cost. Callers choose how many groups, header lines and
// claims there are and how long they are, and an expression that goes through them in a loop within a
// loop (`groups.all(a, groups.all(b, …))`) would otherwise keep all other requests waiting. What counts
// is what is done and not the time that it takes: one request has one answer, on every machine.

import { EvaluationError } from '@marcbachmann/cel-js'

/**
 * What one evaluation may cost, and together all those that share a {@link Budget}. A unit is the
 * evaluation of one node of an expression in a loop, 15 to 25 ns; see metering.ts for what else costs.
 * All of it takes 3 to 5 ms. Two loops over 150 groups, one within the other, are about 100,000.
 */
export const MOST_COST = 200_000

/** What several evaluations may cost together, such as all that one request meets in one phase. */
export class Budget {
  /** What is left; less than zero once it was not enough. */
  left = MOST_COST
}

// An evaluation is one synchronous call, and none begins within another.
let current = new Budget()
let shared: Budget | undefined
let failure: EvaluationError | undefined

/** Evaluates with at most what earlier evaluations with that budget have left. */
export const sharing = <T>(budget: Budget, evaluate: () => T): T => {
  shared = budget
  try {
    return evaluate()
  } finally {
    shared = undefined
  }
}

/**
 * Evaluates with a budget of its own, where none is shared.
 *
 * @throws EvaluationError when it is not enough, whatever the expression makes of that: `a || b` is true
 *   where `b` is, though `a` has failed
 */
export const withinBudget = <T>(evaluate: () => T): T => {
  current = shared ?? new Budget()
  failure = undefined
  charge(0)
  const value = evaluate()
  charge(0)
  return value
}

/**
 * Spends something before it is done.
 *
 * @throws EvaluationError when there is not so much left; and then every time
 */
export const charge = (cost: number): void => {
  current.left -= cost
  // One error for all of them: its stack would cost more than what it ends.
  if (current.left < 0) throw (failure ??= tooMuch())
}

const tooMuch = (): EvaluationError =>
  new EvaluationError({ code: 'takes_too_long', message: 'takes too long' })
