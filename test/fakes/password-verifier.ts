// A user directory in memory, which can be slow or down.

import { digestOf } from '../../src/runtime/digest.ts'
import type {
  AccountLookup,
  PasswordVerifier,
  Verification,
  VerificationContext,
} from '../../src/authenticate/password/verifier.ts'

/** A user of the fake directory. */
export interface FakeUser {
  readonly password: string
  readonly groups?: readonly string[]
  readonly disabled?: boolean
}

/** Answers from a table of users. */
export class FakeVerifier implements PasswordVerifier {
  readonly #users: ReadonlyMap<string, FakeUser>
  /** While set, nothing can be found out. */
  down: Error | undefined
  /** Answers wait for this. */
  ready: Promise<void> = Promise.resolve()
  /** What is said of a right password, where that is not enough. */
  readonly challenges = new Map<string, Verification>()
  /** What is said of an answer, by the answer; another is wrong. */
  readonly answers = new Map<string, Verification>()
  /** The answers that came, and the state that came with each, oldest first. */
  readonly answered: { readonly answer: string; readonly state: string }[] = []
  /** The users whose passwords were verified, with the source of each, oldest first. */
  readonly attempts: { readonly user: string; readonly source: string }[] = []

  constructor(users: Readonly<Record<string, FakeUser>> = {}) {
    this.#users = new Map(Object.entries(users))
  }

  async verify(
    name: string,
    password: string,
    { source, signal }: VerificationContext,
  ): Promise<Verification> {
    this.attempts.push({ user: name, source })
    await this.ready
    if (signal.aborted) return { outcome: 'unavailable', cause: signal.reason }
    if (this.down !== undefined) return { outcome: 'unavailable', cause: this.down }
    const user = this.#users.get(name)
    if (user === undefined) return { outcome: 'unknown-user' }
    if (user.password !== password) return { outcome: 'wrong-password' }
    if (user.disabled === true) return { outcome: 'barred', code: 'user-disabled' }
    const challenge = this.challenges.get(name)
    if (challenge !== undefined) return challenge
    const verified = { user: name, groups: user.groups ?? [], extra: {} }
    return {
      outcome: 'verified',
      user: verified,
      account: JSON.stringify([name, digestOf([password])]),
    }
  }

  async lookup(account: string): Promise<AccountLookup> {
    if (this.down !== undefined) return { outcome: 'unavailable', cause: this.down }
    const [name, password]: [string, string] = JSON.parse(account)
    const user = this.#users.get(name)
    if (user === undefined) return { outcome: 'ended', code: 'user-unknown' }
    if (user.disabled === true) return { outcome: 'ended', code: 'user-disabled' }
    if (digestOf([user.password]) !== password) {
      return { outcome: 'ended', code: 'password-changed' }
    }
    return { outcome: 'current', user: { user: name, groups: user.groups ?? [], extra: {} } }
  }

  async answerChallenge(_user: string, answer: string, state: Uint8Array): Promise<Verification> {
    this.answered.push({ answer, state: Buffer.from(state).toString() })
    if (this.down !== undefined) return { outcome: 'unavailable', cause: this.down }
    return this.answers.get(answer) ?? { outcome: 'wrong-password' }
  }
}

/** A verifier with a bug. */
export const brokenVerifier = (message: string): PasswordVerifier => ({
  verify: () => Promise.reject(new TypeError(message)),
  lookup: () => Promise.reject(new TypeError(message)),
})
