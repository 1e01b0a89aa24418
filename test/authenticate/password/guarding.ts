// Brute-force protection before a directory that records its verifications, on a clock that the test advances.

import { AttemptGuard } from '../../../src/authenticate/password/attempt-guard.ts'
import { guardRulesOf } from '../../../src/authenticate/password/build.ts'
import type {
  GuardedVerification,
  GuardRules,
  LockOut,
} from '../../../src/authenticate/password/guard.ts'
import type { AttemptStore } from '../../../src/state/attempt-store.ts'
import { MemoryAttempts } from '../../../src/state/memory.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { guardSchema } from '../../../src/authenticate/password/guard-schema.ts'
import type { Verification } from '../../../src/authenticate/password/verifier.ts'
import { callerUntil } from '../../fakes/caller.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeVerifier, type FakeUser } from '../../fakes/password-verifier.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const FOREVER = new AbortController().signal

/** The rules by default. */
const DEFAULT_RULES: GuardRules = (() => {
  const rules = guardSchema.parse(undefined)
  if (rules === false) throw new Error('the guard is on by default')
  return guardRulesOf(rules)
})()

/** The differences from the default. */
export interface SiteParts {
  readonly users?: Readonly<Record<string, FakeUser>>
  readonly rules?: Partial<GuardRules>
  readonly store?: AttemptStore
  readonly clock?: FakeClock
  readonly keys?: DerivedKeys
  readonly generation?: string
}

/** A directory with brute-force protection. */
export class GuardedSite {
  readonly clock: FakeClock
  readonly verifier: FakeVerifier
  readonly guard: AttemptGuard
  readonly lockOuts: LockOut[] = []

  constructor(parts: SiteParts = {}) {
    const { users = { alice: { password: 'right' }, bob: { password: 'right' } } } = parts
    this.clock = parts.clock ?? new FakeClock()
    this.verifier = new FakeVerifier(users)
    this.guard = new AttemptGuard({
      ...DEFAULT_RULES,
      ...parts.rules,
      name: 'staff',
      generation: parts.generation ?? 'g1',
      state: {
        attempts: parts.store ?? new MemoryAttempts(this.clock),
        keys: parts.keys ?? new DerivedKeys(),
      },
      clock: this.clock,
      onLockOut: (lockOut) => this.lockOuts.push(lockOut),
    })
  }

  /** How many passwords the directory verified. */
  get attempts(): number {
    return this.verifier.attempts.length
  }

  /** Logs in; `verification` is the answer of the directory, if it is set. */
  async show(
    user: string,
    password: string,
    source = '203.0.113.7',
    verification?: Verification,
  ): Promise<GuardedVerification> {
    return await this.guard.verify({ user, password, source }, async () => {
      const said = await this.verifier.verify(user, password, { ...callerUntil(FOREVER), source })
      return verification ?? said
    })
  }

  /** The outcome of {@link show}, or how many seconds to wait. */
  async outcome(user: string, password: string, source?: string): Promise<string | number> {
    const result = await this.show(user, password, source)
    return result.outcome === 'too-many-attempts' ? result.retryAfter : result.outcome
  }

  /** So many different guesses, as fast as they are accepted; yields the time that they took. */
  async fail(user: string, times: number, source?: string): Promise<number> {
    const began = this.clock.monotonic()
    for (let count = 0; count < times; count += 1) {
      const result = await this.show(user, this.guess(), source)
      if (result.outcome !== 'too-many-attempts') continue
      this.clock.advance(result.retryAfter * SECOND)
      count -= 1
    }
    return this.clock.monotonic() - began
  }

  #guesses = 0

  /** A wrong password, another one each time. */
  guess(): string {
    this.#guesses += 1
    return `guess ${this.#guesses}`
  }
}

/** A familiar address of the user, and an address without a login. */
export const HOME = '192.0.2.1'
export const ELSEWHERE = '198.51.100.1'

/** So many addresses. */
export const addresses = (count: number, prefix = '10.0'): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}.${index >> 8}.${index & 255}`)

/** One guess from each address. */
export const guessFrom = async (
  site: GuardedSite,
  user: string,
  sources: readonly string[],
): Promise<void> => {
  for (const source of sources) {
    await site.show(user, site.guess(), source)
  }
}
