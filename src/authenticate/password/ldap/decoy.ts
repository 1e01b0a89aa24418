// The bind for a user that does not exist, whose duration must not reveal that. A random DN is bound, which takes the
// same connection and the same round trip; if the server hashes passwords only for existing users, the difference is
// waited. (A real account as the decoy would be locked out.)

import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../../../runtime/clock.ts'
import type { LdapConnection, OperationLimits } from '../../../clients/ldap/connection.ts'
import { escapeDnValue } from '../../../clients/ldap/dn.ts'
import { readBind, type BindOutcome } from './outcome.ts'

const REMEMBERED = 32
// The resolution of timers, in milliseconds: a smaller difference is scheduling noise.
const WORTH_WAITING = 1

/** Binds as users, and as decoys in the same time. */
export class EvenBinds {
  readonly #clock: Clock
  readonly #base: string
  readonly #wrong: number[] = []
  readonly #decoy: number[] = []

  /** @param base the DN under which the decoys are */
  constructor(base: string, clock: Clock) {
    this.#base = base
    this.#clock = clock
  }

  /** A bind as a user. */
  async bind(
    connection: LdapConnection,
    dn: string,
    password: string,
    limits: OperationLimits,
  ): Promise<BindOutcome> {
    const started = this.#clock.monotonic()
    const result = await connection.bind(dn, password, limits)
    const bound = readBind(result, connection.server)
    // Only wrong passwords, with which an unknown user is compared: a locked user is refused without a hash.
    if (bound.outcome === 'wrong-password') this.#remember(this.#wrong, started)
    return bound
  }

  /** A bind as a decoy. */
  async bindDecoy(
    connection: LdapConnection,
    password: string,
    limits: OperationLimits,
  ): Promise<void> {
    const started = this.#clock.monotonic()
    const name = `cn=${escapeDnValue(randomBytes(12).toString('hex'))}`
    const dn = this.#base === '' ? name : `${name},${this.#base}`
    await connection.bind(dn, password, limits)
    const took = this.#remember(this.#decoy, started)
    if (median(this.#wrong) - median(this.#decoy) < WORTH_WAITING) return
    // The duration of an earlier bind at random, since a constant duration would be conspicuous.
    const like = this.#wrong[randomInt(this.#wrong.length)] ?? 0
    if (like > took) await wait(like - took, undefined, { signal: limits.signal })
  }

  #remember(times: number[], started: number): number {
    const took = this.#clock.monotonic() - started
    times.push(took)
    if (times.length > REMEMBERED) times.shift()
    return took
  }
}

const median = (times: readonly number[]): number =>
  times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0
