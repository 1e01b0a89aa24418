// The seam before the password verifiers, and the rules by which attempts are counted: guessing must be expensive.
// It knows nothing of HTTP.

import type { Pace } from '../../state/attempt-store.ts'
import type { RepeatRules } from './repeats.ts'
import type { Verification } from './verifier.ts'

/** A password that somebody shows. */
export interface Attempt {
  /** As typed. */
  readonly user: string
  readonly password: string
  /** The caller's address. */
  readonly source: string
  /** Whether the person can be asked for more, so that it is no refusal when more is needed. */
  readonly isAsked?: boolean
  /** How many questions led here. Each was counted as failed, and was not when this succeeds. */
  readonly questions?: number
}

/** What a verifier said, or that it was not asked. */
export type GuardedVerification =
  | Verification
  | {
      readonly outcome: 'too-many-attempts'
      /** Whole seconds, at least 1. */
      readonly retryAfter: number
    }

/** What is counted apart. */
export type Count = 'userAndSource' | 'user' | 'source'

/** How attempts are counted. Times in milliseconds. */
export interface GuardRules extends Readonly<Record<Count, Pace>> {
  /**
   * For how long a source is familiar from which the user was proven. From there a user waits for
   * what failed there, and not for what others do elsewhere, or with other names.
   */
  readonly familiar: number
  readonly repeats: RepeatRules
  /** How many bits of an IPv6 address are one source. */
  readonly ipv6Prefix: number
}

/** A lock-out that has begun. */
export interface LockOut {
  readonly count: Count
  /** Absent where no verifier knows the name: it might be a password in the wrong field. */
  readonly user: string | undefined
  readonly source: string
  /** Milliseconds. */
  readonly lasts: number
}

/**
 * Stands before the verifiers of passwords.
 *
 * - `too-many-attempts`: of this user or from this source. Nobody was asked, and it says nothing of
 *   the password: it is the same for a right one, and for a user that does not exist.
 * - `unavailable`: also where attempts cannot be counted; then nobody was asked either.
 */
export interface PasswordGuard {
  /**
   * How long a user is known to have to wait there, in seconds; 0 for not at all. A proof that is
   * remembered does not count meanwhile: else guesses at a user who is active would cost nothing.
   */
  waitOf(user: string, source: string): number
  /** @param ask called at most once */
  verify(attempt: Attempt, ask: () => Promise<Verification>): Promise<GuardedVerification>
}

/** Verifies whatever it is shown. */
export const unguarded: PasswordGuard = {
  waitOf: () => 0,
  verify: (_, ask) => ask(),
}

const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu
const SPACES = /[\s\p{Z}]+/gu

/**
 * The name under which a user's attempts are counted. Directories ignore case, accents, width and
 * spaces, some of them each (RFC 4518 §2; Active Directory all): what one of them takes for the same
 * user must not have a budget of its own for each way of writing it. Two users may come out as one:
 * they share a count, and nothing else.
 */
export const countedUser = (user: string): string =>
  user
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .replaceAll(SPACES, ' ')
    .trim()
    .toLowerCase() // "ẞ" to "ß",
    .toUpperCase() // and that to "SS", as others fold it
