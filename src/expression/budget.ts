// How much one evaluation may do. Callers choose how many groups, header lines and parameters there
// are and how long they are, and an expression that goes through them in a loop within a loop
// (`groups.all(a, groups.all(b, …))`) would otherwise keep everybody else waiting.

import { EvaluationError } from '@marcbachmann/cel-js'

// Measured: 15 to 60 ms when all of them are taken. Two loops over 500 groups take 250,000.
const MOST_ROUNDS = 500_000

// A round may take long by itself: to look for something in a path of 60 KB, half a millisecond. So
// the time counts too, once there has been enough of it to be worth asking for; and of it only what
// this thread had, since a machine that is busy, or a container's quota, is no fault of the caller.
const MOST_CPU_US = 50_000
const ASK_EVERY_MS = 10
const ROUNDS_BETWEEN = 4

// One request may meet any number of expressions. Together they have the time of so many.
const EVALUATIONS = 4

interface Spent {
  rounds: number
  /** When CPU time is asked for the next time, in ms of the monotonic clock. */
  askAt: number | undefined
  /** CPU time of this thread when it was first asked for, in µs. */
  cpu: number | undefined
}

const nothing = (): Spent => ({ rounds: 0, askAt: undefined, cpu: undefined })

// An evaluation is one synchronous call, and none begins within another.
let spent = nothing()
let shared: Budget | undefined

/** What several evaluations may do together. */
export class Budget {
  readonly #spent = nothing()
  #isLate = false

  /**
   * Says that one more begins. By its time alone: not all that takes long is a loop.
   *
   * @throws EvaluationError when there is nothing left; and then every time
   */
  begin(): void {
    this.#isLate ||= isLate(this.#spent, EVALUATIONS)
    if (this.#isLate) throw tooLong()
  }
}

/** Evaluates with no more to be spent than what was evaluated with that budget before has left. */
export const sharing = <T>(budget: Budget, evaluate: () => T): T => {
  shared = budget
  try {
    return evaluate()
  } finally {
    shared = undefined
  }
}

/** Evaluates with everything still to be spent, as far as it is not shared. */
export const withinBudget = <T>(evaluate: () => T): T => {
  spent = nothing()
  shared?.begin()
  return evaluate()
}

/**
 * Counts one round of a loop.
 *
 * @throws EvaluationError when there have been too many, or they took too long; and then every time
 */
export const countRound = (): void => {
  spent.rounds += 1
  if (spent.rounds > MOST_ROUNDS || (spent.rounds % ROUNDS_BETWEEN === 0 && isLate(spent, 1))) {
    spent.rounds = MOST_ROUNDS
    throw tooLong()
  }
}

const tooLong = (): EvaluationError =>
  new EvaluationError({ code: 'takes_too_long', message: 'takes too long' })

const isLate = (of: Pick<Spent, 'askAt' | 'cpu'>, times: number): boolean => {
  const now = performance.now()
  of.askAt ??= now + ASK_EVERY_MS
  if (now < of.askAt) return false
  of.askAt = now + ASK_EVERY_MS
  const { user, system } = process.threadCpuUsage()
  const cpu = user + system
  of.cpu ??= cpu
  return cpu - of.cpu > MOST_CPU_US * times
}
