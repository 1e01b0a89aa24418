// The seam of brute-force protection before the password verifiers, and the rules by which attempts are counted.
// Independent of HTTP.

import type { LockOutKind, Pace } from '../../state/attempt-store.ts'
import type { RepeatRules } from './repeats.ts'
import type { Verification } from './verifier.ts'

/** An attempt to authenticate with a password. */
export interface Attempt {
  /** As typed. */
  readonly user: string
  readonly password: string
  /** The caller's address. */
  readonly source: string
  /** Whether the caller can ask the user a further question, so that a demand for one is not a refusal. */
  readonly isInteractive?: boolean
  /** The number of earlier questions. Each was counted as a failure, which a success removes. */
  readonly questions?: number
}

/** The outcome of a verifier, or that none was called. */
export type GuardedVerification =
  | Verification
  | {
      readonly outcome: 'too-many-attempts'
      /** Whole seconds, at least 1. */
      readonly retryAfter: number
    }

/** A counter of attempts. */
export type Count = LockOutKind

/** How attempts are counted. Times in milliseconds. */
export interface GuardRules extends Readonly<Record<Count, Pace>> {
  /**
   * For how long a source remains familiar after the user logged in from it. There a user waits for the failures of
   * the pair only, not for failures at other addresses or of other users.
   */
  readonly familiar: number
  readonly repeats: RepeatRules
  /** How many bits of an IPv6 address identify a source. */
  readonly ipv6Prefix: number
}

/** A lock-out that has begun. */
export interface LockOut {
  readonly count: Count
  /** Absent where no verifier knows the name, which may be a password in the wrong field. */
  readonly user: string | undefined
  readonly source: string
  /** Milliseconds. */
  readonly lasts: number
}

/**
 * Calls the password verifiers, unless too many attempts have failed.
 *
 * - `too-many-attempts`: of this user or from this source. No verifier was called, so it is the same for a right
 *   password, and for a user that does not exist.
 * - `unavailable`: also where attempts cannot be counted; no verifier was called then.
 */
export interface PasswordGuard {
  /**
   * How long a user is known to have to wait at that address, in seconds; 0 for no wait. No cached credential is used
   * meanwhile: otherwise guesses at an active user would cost nothing.
   */
  waitOf(user: string, source: string): number
  /** @param ask called at most once */
  verify(attempt: Attempt, ask: () => Promise<Verification>): Promise<GuardedVerification>
}

/** Passes every attempt to the verifiers. */
export const unguarded: PasswordGuard = {
  waitOf: () => 0,
  verify: (_, ask) => ask(),
}

const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu
const SPACES = /[\s\p{Z}]+/gu

/**
 * The name under which a user's attempts are counted. Directories ignore case, accents, width and spaces, each of them
 * some of these (RFC 4518 §2; Active Directory all): spellings that one of them treats as the same user must share a
 * budget. Two users may have the same name here: they share a count, and nothing else.
 */
export const countedUser = (user: string): string =>
  user
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .replaceAll(SPACES, ' ')
    .trim()
    .toLowerCase() // "ẞ" to "ß",
    .toUpperCase() // and that to "SS"
