// Brute-force protection by counters. Every attempt is counted as failed before it is verified, for its user, its
// source, and the pair; after too many failures of one of them, attempts have to wait.

import type { Clock } from '../../runtime/clock.ts'
import { countedSource } from '../../runtime/counted-source.ts'
import {
  waitAfter,
  type AttemptScope,
  type FoundEntry,
  type Reservation,
} from '../../state/attempt-store.ts'
import type { State } from '../../state/state.ts'
import {
  countedUser,
  type Attempt,
  type Count,
  type GuardedVerification,
  type GuardRules,
  type LockOut,
  type PasswordGuard,
} from './guard.ts'
import { answerOfNote, noteOfRefusal, type Refused } from './repeats.ts'
import type { Verification } from './verifier.ts'

/** The options of a guard. */
export interface GuardOptions extends GuardRules {
  /** The authenticator: equal user names of another authenticator are other users. */
  readonly name: string
  /** Changes with everything that the outcomes of the verifiers depend on. */
  readonly generation: string
  readonly state: Pick<State, 'attempts' | 'keys'>
  readonly clock: Clock
  readonly onLockOut: (lockOut: LockOut) => void
}

/** The keys of an attempt in the store, and its name in {@link Holds}. */
interface Subject extends Attempt {
  readonly held: string
  readonly keys: Readonly<Record<Count | 'familiar' | 'refused', string>>
}

/** An attempt that may be verified, counted as failed. */
interface Admission {
  readonly outcome: 'admitted'
  /** In the order of COUNTS. */
  readonly reservations: readonly Reservation[]
  readonly familiar: FoundEntry | undefined
  /** Whether the same password was refused a while ago, and counted then. */
  readonly repeated: boolean
}

const COUNTS = ['userAndSource', 'user', 'source'] as const satisfies readonly Count[]

// A hundred users behind one address may log in at once, and a hundred pods as one user; but no user at one address
// has several passwords under way. So pending attempts weigh less for a user or a source alone.
const WEIGHTS = { userAndSource: 1, user: 1 / 4, source: 1 / 4 } as const

const LONGEST_HOLD_FOR_OTHERS = 1_000

/** A {@link PasswordGuard} with counters. */
export class AttemptGuard implements PasswordGuard {
  readonly #options: GuardOptions
  readonly #holds: Holds

  constructor(options: GuardOptions) {
    this.#options = options
    this.#holds = new Holds(options.clock)
  }

  waitOf(user: string, source: string): number {
    if (this.#holds.isEmpty) return 0
    const network = countedSource(source, this.#options.ipv6Prefix)
    return inSeconds(this.#holds.waitOf(holdName(countedUser(user), network)))
  }

  async verify(attempt: Attempt, ask: () => Promise<Verification>): Promise<GuardedVerification> {
    const subject = this.#subjectOf(attempt)
    const admission = await orUnavailable(() => this.#admit(subject))
    if (admission.outcome !== 'admitted') return admission
    const verification = await ask().catch(async (bug: unknown) => {
      await orUnavailable(() => this.#giveBack(admission))
      throw bug
    })
    return await orUnavailable(() => this.#settle(subject, admission, verification))
  }

  #subjectOf(attempt: Attempt): Subject {
    const { name, state, ipv6Prefix } = this.#options
    const user = countedUser(attempt.user)
    const network = countedSource(attempt.source, ipv6Prefix)
    const keyOf = (kind: string, ...parts: readonly string[]): string =>
      state.keys.of('password', name, kind, ...parts)
    return {
      ...attempt,
      held: holdName(user, network),
      keys: {
        userAndSource: keyOf('userAndSource', user, network),
        user: keyOf('user', user),
        source: keyOf('source', network),
        // These have the name as typed: another spelling may be another user.
        familiar: keyOf('familiar', attempt.user, network),
        refused: keyOf('refused', attempt.user, attempt.password),
      },
    }
  }

  async #admit(subject: Subject): Promise<Admission | GuardedVerification> {
    const { state, generation, repeats, clock } = this.#options
    const { keys, held } = subject
    const [familiar, refused] = await state.attempts.recall([keys.familiar, keys.refused])
    const at = clock.monotonic()
    const result = await state.attempts.take(this.#scopes(keys, familiar !== undefined))
    if (result.outcome === 'wait') {
      const [own = 0, ...others] = result.waits
      // Attempts at other pairs have caused this wait, and may end it by succeeding.
      this.#holds.set(
        held,
        at + Math.max(own, Math.min(LONGEST_HOLD_FOR_OTHERS, Math.max(...others))),
      )
      return { outcome: 'too-many-attempts', retryAfter: inSeconds(Math.max(...result.waits)) }
    }
    const { reservations } = result
    const repeated = refused !== undefined
    const admission = { outcome: 'admitted', reservations, familiar, repeated } as const
    const answer = refused && answerOfNote(refused, generation, repeats)
    if (answer === undefined || (subject.isInteractive === true && isQuestion(answer)))
      return admission
    await this.#giveBack(admission)
    return answer
  }

  #scopes(keys: Subject['keys'], familiar: boolean): readonly AttemptScope[] {
    return COUNTS.map((count) => ({
      key: keys[count],
      pace: this.#options[count],
      binding: count === 'userAndSource' || !familiar,
      weight: WEIGHTS[count],
      lockOut: count,
    }))
  }

  async #settle(
    subject: Subject,
    admission: Admission,
    verification: Verification,
  ): Promise<Verification> {
    switch (verification.outcome) {
      case 'verified':
        await this.#succeed(subject, admission)
        return verification
      case 'unavailable':
        if (verification.counts === true) {
          await this.#count(subject, admission, true)
          return verification
        }
        await this.#giveBack(admission)
        this.#holds.delete(subject.held)
        return verification
      case 'challenged': // not authenticated yet, and the answer can be guessed too
        await this.#count(subject, admission, true)
        return verification
      // A disabled account counts like any other: an attempt that did not count would reveal that the password is
      // right.
      case 'barred':
      case 'wrong-password':
      case 'unknown-user':
        await this.#fail(subject, admission, verification)
        return verification
    }
  }

  /** Removes the failures of this user at this source, also from the count of the user. */
  async #succeed(
    { keys, held, questions = 0 }: Subject,
    { reservations, familiar }: Admission,
  ): Promise<void> {
    const { state, familiar: lifetime, userAndSource } = this.#options
    const failures = reservations[0]?.failures ?? 1
    // Only once per `forget`: a program may log in every minute, and a client behind the same address may guess
    // meanwhile.
    const fresh = familiar === undefined || familiar.age >= userAndSource.forget
    const forgotten = fresh
      ? [Number.POSITIVE_INFINITY, Math.max(failures - 1, questions), questions]
      : [questions, questions, questions]
    await state.attempts.settle(
      reservations.map((reservation, index) => ({
        reservation,
        failures: -(forgotten[index] ?? 0),
      })),
    )
    this.#holds.delete(held)
    if (lifetime === 0) return
    await state.attempts.remember({ key: keys.familiar, text: '', lifetime, retained: true })
  }

  async #fail(subject: Subject, admission: Admission, refused: Refused): Promise<void> {
    const { state, generation, repeats } = this.#options
    if (repeats.once > 0) {
      const text = noteOfRefusal(refused, generation)
      const { refused: key } = subject.keys
      await state.attempts.remember({ key, text, lifetime: repeats.once, retained: false })
    }
    if (admission.repeated) {
      await this.#giveBack(admission)
      return
    }
    await this.#count(subject, admission, refused.outcome !== 'unknown-user')
  }

  /** Counts a failure, and reports a lock-out that it causes. */
  async #count(subject: Subject, admission: Admission, isKnown: boolean): Promise<void> {
    const { state, clock } = this.#options
    const { user, source, held } = subject
    const at = clock.monotonic()
    const reservations = await state.attempts.settle(
      admission.reservations.map((reservation) => ({ reservation, failures: 1 })),
    )
    for (const [index, count] of COUNTS.entries()) {
      const { failures = 0, until = 0 } = reservations[index] ?? {}
      const pace = this.#options[count]
      if (until === 0) continue
      if (count === 'userAndSource') this.#holds.set(held, at + waitAfter(failures, pace))
      if (failures >= pace.lockAfter) {
        const about = isKnown && count !== 'source' ? user : undefined
        this.#options.onLockOut({ count, user: about, source, lasts: pace.lockFor })
      }
    }
  }

  async #giveBack({ reservations }: Admission): Promise<void> {
    const outcomes = reservations.map((reservation) => ({ reservation, failures: 0 }))
    await this.#options.state.attempts.settle(outcomes)
  }
}

/** A refusal that only a login page can ask further about; HTTP Basic records it. */
const isQuestion = (refused: Refused): boolean =>
  refused.outcome === 'barred' && refused.code === 'second-factor-required'

const holdName = (user: string, network: string): string => `${user}\0${network}`

const inSeconds = (milliseconds: number): number => Math.ceil(milliseconds / 1_000)

/** Fails closed: an attempt that cannot be counted is unavailable, before or after its verification. */
const orUnavailable = async <T>(
  step: () => Promise<T>,
): Promise<T | Extract<Verification, { outcome: 'unavailable' }>> => {
  try {
    return await step()
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

// The next refused attempt sets an evicted wait again, so a flood that evicts one gains one guess.
const MAX_HOLDS = 10_000

/**
 * The waits that this process knows of, by name, in monotonic milliseconds. Enough to answer a flood of guesses
 * without a request to the store, and to use no cached proof while its user has to wait.
 */
export class Holds {
  readonly #clock: Clock
  readonly #until = new Map<string, number>()
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether no wait is known: the caller then needs no name. */
  get isEmpty(): boolean {
    if (this.#until.size === 0) return true
    if (this.#clock.monotonic() < this.#last) return false
    this.#until.clear()
    return true
  }

  /** Milliseconds left to wait; 0 for none. */
  waitOf(name: string): number {
    return Math.max(0, (this.#until.get(name) ?? 0) - this.#clock.monotonic())
  }

  /** Extends the wait until then, never shortens it. */
  set(name: string, until: number): void {
    const later = Math.max(until, this.#until.get(name) ?? 0)
    this.#until.delete(name)
    this.#until.set(name, later)
    this.#last = Math.max(this.#last, later)
    const [oldest] = this.#until.keys()
    if (this.#until.size > MAX_HOLDS && oldest !== undefined) this.#until.delete(oldest)
  }

  /** Ends the wait. */
  delete(name: string): void {
    this.#until.delete(name)
  }
}
