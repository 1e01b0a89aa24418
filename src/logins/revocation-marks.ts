// When all logins of a user were ended by a sign-out, for tokens that are verified without a lookup: a JWT does not show that
// its login has ended.

import { LONGEST_TOKEN_LIFETIME_MS } from '../keys/mint-schema.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import type { Clock } from '../runtime/clock.ts'

const ALL_USERS = 'signed-out all users'
const keyOf = (user: string): string => `signed-out user ${user}`

/** The name under which a sign-out of a user, or of all users, is revoked (`RevocableRecords`). */
export const revocationName = (user: string | undefined): string =>
  user === undefined ? 'sign-out of all users' : `sign-out of user ${user}`

/** Sign-outs, stored in `state`. */
export class RevocationMarks {
  readonly #records: RevocableRecords
  readonly #clock: Clock

  constructor(records: RevocableRecords, clock: Clock) {
    this.#records = records
    this.#clock = clock
  }

  /** Marks that everything of a user, or of all users, ends now. */
  async note(user?: string): Promise<void> {
    // After that no token from before is left.
    const lifetime = LONGEST_TOKEN_LIFETIME_MS
    const record = { text: String(this.#clock.now()), kind: 'decisive', lifetime } as const
    // The record for processes that start later; the name for those that run, even when the record is removed.
    await this.#records.put(user === undefined ? ALL_USERS : keyOf(user), record)
    await this.#records.revoke([revocationName(user)])
  }

  /**
   * When everything of a user ended last, in milliseconds since 1970; 0 for never, or so long ago that no
   * token of that time lives.
   *
   * @throws CountersignError `unavailable` when it is undetermined
   */
  async lastOf(user: string): Promise<number> {
    const found = await Promise.all([ALL_USERS, keyOf(user)].map((key) => this.#records.get(key)))
    const revoked = [undefined, user].map(
      (one) => this.#records.revokedAt(revocationName(one)) ?? 0,
    )
    const texts = found.map((record) => Number(record?.text ?? 0))
    return Math.max(this.#records.floor, ...revoked, ...texts)
  }
}
