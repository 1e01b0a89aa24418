// Attempts in Redis: a failure in one process counts in all. Bounded: an attempt that does not fit is refused, and
// counted in each process instead (`FallbackAttempts`); no lock-out is evicted.

import { CountersignError } from '../../runtime/errors.ts'
import {
  LOCK_OUT_KINDS,
  type AttemptStore,
  type AttemptScope,
  type FoundEntry,
  type ExpiringEntry,
  type LockOuts,
  type Reservation,
  type ReservationOutcome,
  type TakeResult,
} from '../attempt-store.ts'
import { attemptScripts, type AttemptRooms, type AttemptScripts } from './attempt-scripts.ts'
import { listOf, numberOf, SERVER_CLOCK, textOf } from './lua.ts'
import type { Sender } from './sender.ts'

// Measured, with the room: 430 bytes a counter, 190 more while it is a lock-out, and 680 a note; 64 MB, 28 MB and 34 MB when
// full.
const ROOMS: AttemptRooms = { counters: 150_000, notes: 50_000 }

/** An {@link AttemptStore} that all processes of one server share. */
export class RedisAttempts implements AttemptStore {
  readonly #sender: Sender
  readonly #counters: string
  readonly #notes: string
  readonly #lockOuts: string
  readonly #scripts: AttemptScripts

  /**
   * @param prefix of all keys
   * @param clock the source of the time of scripts, in Lua
   */
  constructor(sender: Sender, prefix: string, clock = SERVER_CLOCK, rooms = ROOMS) {
    this.#sender = sender
    this.#counters = `${prefix}attempts:`
    this.#notes = `${prefix}note:`
    this.#lockOuts = `${prefix}lockouts:`
    this.#scripts = attemptScripts(prefix, clock, rooms)
  }

  async take(scopes: readonly AttemptScope[]): Promise<TakeResult> {
    if (scopes.length === 0) return { outcome: 'taken', reservations: [] }
    const args = scopes.flatMap((scope) => argsOf(scope, scope.weight))
    const reply = await this.#sender.run('attempt', this.#scripts.take, this.#keysOf(scopes), args)
    const [outcome, ...rest] = listOf(reply)
    if (outcome === 'wait') return { outcome, waits: rest.map(numberOf) }
    if (outcome === 'full') throw full()
    return { outcome: 'taken', reservations: reservationsOf(scopes, rest) }
  }

  async settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]> {
    if (outcomes.length === 0) return []
    const scopes = outcomes.map(({ reservation }) => reservation.scope)
    const args = outcomes.flatMap(({ reservation: { scope, added, until }, failures }) => {
      const others = Math.min(MANY, Math.max(0, -failures))
      return [...argsOf(scope, 1 - scope.weight), failures > 0 ? 1 : 0, others, added, until]
    })
    const { settle } = this.#scripts
    return reservationsOf(
      scopes,
      listOf(await this.#sender.run('settle', settle, this.#keysOf(scopes), args)),
    )
  }

  async remember({ key, text, lifetime, retained }: ExpiringEntry): Promise<void> {
    const { note } = this.#scripts
    const args = [text, lifetime, retained ? 1 : 0]
    const outcome = await this.#sender.run('note', note, [`${this.#notes}${key}`], args)
    if (outcome === 'full') throw full()
  }

  async recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    if (keys.length === 0) return []
    const { recall } = this.#scripts
    const notes = keys.map((key) => `${this.#notes}${key}`)
    return listOf(await this.#sender.run('recall', recall, notes)).map((found) => {
      if (found === null) return undefined
      const [text, age] = listOf(found)
      return { text: textOf(text), age: numberOf(age) }
    })
  }

  async lockOuts(): Promise<LockOuts | undefined> {
    const sets = LOCK_OUT_KINDS.map((kind) => `${this.#lockOuts}${kind}`)
    const reply = await this.#sender.tryToRun(this.#scripts.lockOuts, sets)
    if (reply.outcome === 'refused') return undefined
    const counts = listOf(reply.value).map(numberOf)
    return Object.fromEntries(LOCK_OUT_KINDS.map((kind, index) => [kind, counts[index] ?? 0]))
  }

  #keysOf(scopes: readonly AttemptScope[]): readonly string[] {
    return scopes.map(({ key }) => `${this.#counters}${key}`)
  }
}

const full = (): CountersignError =>
  new CountersignError('overloaded', 'there is no room left for failed attempts in Redis')

// More than any counter has; Lua cannot parse "Infinity".
const MANY = 1e9

const argsOf = (
  { pace, binding, lockOut }: AttemptScope,
  part: number,
): readonly (number | string)[] => {
  const { attempts, backOff, lockAfter, lockFor, forget } = pace
  return [binding ? 1 : 0, part, attempts, backOff, lockAfter, lockFor, forget, lockOut ?? '']
}

const reservationsOf = (
  scopes: readonly AttemptScope[],
  replies: readonly unknown[],
): readonly Reservation[] =>
  scopes.map((scope, index) => {
    const [failures = 0, added = 0, until = 0] = listOf(replies[index]).map(numberOf)
    return { scope, failures, added, until }
  })
