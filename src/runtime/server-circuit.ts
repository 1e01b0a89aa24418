// A circuit breaker for a server that is called on behalf of callers. Callers choose the subjects of the questions, so a
// failure counts only as far as it concerns the server: one unusual credential must not take the server out of use for
// other callers.

import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

/**
 * What the outcome of a question means for the server.
 *
 * - `answered`: it works.
 * - `failed`: it does not, whatever the question: no connection, no TLS.
 * - `silent`: it may be this question: a timeout, a connection that broke, a gateway's 502. It counts
 *   once for each subject, and not at all where the server has answered another question meanwhile.
 * - `nothing`: it lies in this question or its answer.
 */
export type Evidence = 'answered' | 'failed' | 'silent' | 'nothing'

/** The caller on whose behalf the server is called. */
export interface CircuitCaller {
  /** What it is about: a keyed hash of a credential, say. Absent: a question that no caller caused. */
  readonly subject?: string | undefined
  /** A source address, or a user. */
  readonly caller?: string | undefined
  /** Whether the subject was good before, at this server. */
  readonly wasGood: boolean
}

/** When a circuit opens, and for how long. */
export interface ServerCircuitOptions {
  /** So many failures, of as many subjects, open it where they are half of the latest outcomes. */
  readonly failures: number
  /** How long it stays open, in milliseconds. */
  readonly coolDown: number
  readonly clock: Clock
  /** Called when it opens, with the last failure, and when it closes. */
  readonly report: (change: CircuitChange) => void
}

/** What {@link ServerCircuitOptions.report} is called with. */
export type CircuitChange =
  | { readonly state: 'open'; readonly failure: unknown; readonly failures: number }
  | { readonly state: 'closed' }

/** Permission for one question. */
export interface CircuitPass {
  /** Reports the outcome. Must be called exactly once. */
  readonly end: (evidence: Evidence, failure?: unknown) => void
}

interface Outcome {
  readonly at: number
  /** What failed; absent for an answer. */
  readonly failed?: string | symbol
}

// The outcomes that are looked at, or twice the failures that open it. Older ones do not show the current state.
const WINDOW_MS = 60_000
const OUTCOMES = 20
// While it is open: so many callers on trial, each once in a while, and one more with what was good before,
// so that a caller with odd credentials cannot take the trials of all.
const STRANGERS_ON_TRIAL = 2
const MAX_TRIED = 1_000

/** Closed, open, or open with some questions on trial. */
export class ServerCircuit {
  readonly #options: ServerCircuitOptions
  // The oldest first.
  #outcomes: readonly Outcome[] = []
  #answeredAt = Number.NEGATIVE_INFINITY
  #open: { since: number } | undefined
  readonly #strangers = new Set<string>()
  // When a trial of a caller failed that may be due to what it showed.
  readonly #tried = new LRUCache<string, number>({ max: MAX_TRIED })
  #goodOnTrial = false

  constructor(options: ServerCircuitOptions) {
    this.#options = options
  }

  /** Whether questions are refused, except trials. */
  get isOpen(): boolean {
    const open = this.#open
    if (open === undefined) return false
    const { clock, coolDown } = this.#options
    const onTrial = this.#goodOnTrial || this.#strangers.size > 0
    return onTrial || clock.monotonic() - open.since < coolDown
  }

  /** Lets a question pass, or refuses it: then `undefined`. */
  pass(caller: CircuitCaller): CircuitPass | undefined {
    const began = this.#options.clock.monotonic()
    if (this.#open === undefined) {
      return { end: (evidence, failure) => this.#end(evidence, failure, caller, began) }
    }
    const trial = this.#beginTrial(caller)
    return (
      trial && {
        end: (evidence, failure) => {
          trial.end()
          this.#endTrial(evidence, failure, caller, began)
        },
      }
    )
  }

  /** Whether a question would be refused now; nothing begins. */
  refuses({ wasGood, caller = '' }: CircuitCaller): boolean {
    const open = this.#open
    if (open === undefined) return false
    const { clock, coolDown } = this.#options
    if (clock.monotonic() - open.since < coolDown) return true
    if (wasGood && !this.#goodOnTrial) return false
    if (this.#strangers.has(caller) || this.#strangers.size >= STRANGERS_ON_TRIAL) return true
    const tried = this.#tried.get(caller)
    return tried !== undefined && clock.monotonic() - tried < coolDown
  }

  #beginTrial(caller: CircuitCaller): { readonly end: () => void } | undefined {
    if (this.refuses(caller)) return undefined
    if (caller.wasGood && !this.#goodOnTrial) {
      this.#goodOnTrial = true
      return { end: () => void (this.#goodOnTrial = false) }
    }
    const { caller: name = '' } = caller
    this.#strangers.add(name)
    return { end: () => void this.#strangers.delete(name) }
  }

  #endTrial(evidence: Evidence, failure: unknown, caller: CircuitCaller, began: number): void {
    if (this.#open === undefined) return this.#end(evidence, failure, caller, began)
    const now = this.#options.clock.monotonic()
    const isStranger = !caller.wasGood && caller.subject !== undefined
    if (evidence === 'answered') this.#close()
    else if (evidence === 'silent' && isStranger) this.#tried.set(caller.caller ?? '', now)
    else if (evidence !== 'nothing') this.#open.since = now
  }

  #end(
    evidence: Evidence,
    failure: unknown,
    { subject = Symbol('our own') }: { readonly subject?: string | symbol | undefined },
    began: number,
  ): void {
    const now = this.#options.clock.monotonic()
    if (evidence === 'answered') {
      this.#answeredAt = now
      this.#note({ at: now })
      return
    }
    // A question that began before the circuit opened is not new evidence.
    if (evidence === 'nothing' || this.#open !== undefined) return
    if (evidence === 'silent' && this.#answeredAt > began) return
    this.#note({ at: now, failed: evidence === 'failed' ? Symbol('failed') : subject })
    const failures = this.#outcomes.filter(({ failed }) => failed !== undefined).length
    if (failures < this.#options.failures || failures * 2 < this.#outcomes.length) return
    this.#open = { since: now }
    this.#options.report({ state: 'open', failure, failures })
  }

  #note(outcome: Outcome): void {
    const others = this.#outcomes.filter(
      ({ at, failed }) =>
        outcome.at - at < WINDOW_MS && (failed === undefined || failed !== outcome.failed),
    )
    const kept = Math.max(OUTCOMES, 2 * this.#options.failures)
    this.#outcomes = [...others, outcome].slice(-kept)
  }

  #close(): void {
    this.#open = undefined
    this.#outcomes = []
    this.#tried.clear()
    this.#answeredAt = this.#options.clock.monotonic()
    this.#options.report({ state: 'closed' })
  }
}
