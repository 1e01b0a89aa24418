// The seam for the records of logins: sessions, codes, refresh tokens, pending logins. A record is a text with an end;
// a store does not know its content, nor who may read it.

/** A record, as written and as read. */
export interface StoredRecord {
  readonly text: string
  /** The rest of its lifetime in whole milliseconds, more than 0. */
  readonly lifetime: number
}

/** The kinds of records. */
export const RECORD_KINDS = ['anonymous', 'login', 'decisive', 'used', 'public'] as const

/**
 * The kind of a record, which determines its quota.
 *
 * - `anonymous`: caused by clients without a proven identity, at steps that few clients reach: a device code before it
 *   is approved, the question for a second factor.
 * - `public`: caused by any public client or browser, as often as it likes: a pushed authorization request (RFC 9126), a used
 *   callback of an upstream IdP.
 * - `login`: sessions, grants, codes and tokens of an authenticated user or client.
 * - `decisive`: records whose presence refuses a request: sign-outs, ended logins, used logout tokens.
 * - `used`: one-time values that a client may send before it is authenticated, such as the `jti` of a DPoP proof (RFC
 *   9449 §11.1). Without the record the value counts as new.
 */
export type RecordKind = (typeof RECORD_KINDS)[number]

/** Whether the oldest records of a kind are evicted for new ones. */
export const yields = (kind: RecordKind): boolean => kind === 'anonymous' || kind === 'public'

/** A record that is written for the first time, or replaces another. */
export interface NewRecord extends StoredRecord {
  readonly kind: RecordKind
}

/**
 * Stores records under keys until their end. Keys, texts and names of sets are of any length and well-formed Unicode.
 *
 * Each call is atomic, also between processes. All reject when the store is unavailable or full, with a
 * CountersignError `unavailable` or `overloaded`; it is unknown then whether the call took effect.
 *
 * Each kind has a quota that no other kind can use (`quotas.ts`). When the quota of `anonymous` or `public` is used
 * up, its oldest records are evicted. No record of another kind is removed before its end: a write that does not fit
 * is refused with `overloaded`, and the present record of the key remains.
 *
 * No record is returned after its end, by the clock of the store: a monotonic one in memory, this machine's for a
 * file, the server's for Redis. Setting such a clock back prolongs records.
 */
export interface RecordStore {
  /**
   * Replaces the record of a key: text, end and sets.
   *
   * @param indexes the sets that contain the key until its record ends or is removed
   */
  put(key: string, record: NewRecord, indexes?: readonly string[]): Promise<void>
  /** Writes only if the key has no record, and returns whether it did: one of two concurrent calls does. */
  add(key: string, record: NewRecord, indexes?: readonly string[]): Promise<boolean>
  /**
   * Writes only if the key still has the text `before`, and returns whether it did: one of two concurrent calls does.
   * The record remains in its sets, and of its kind.
   */
  replace(key: string, before: string, record: StoredRecord): Promise<boolean>
  /** The record of a key. */
  get(key: string): Promise<StoredRecord | undefined>
  /** Reads and removes in one step: one of two concurrent calls gets it. */
  take(key: string): Promise<StoredRecord | undefined>
  /** Removes the records of these keys. */
  remove(keys: readonly string[]): Promise<void>
  /** The keys in a set whose records have not ended, in no order. */
  keysIn(index: string): Promise<readonly string[]>
  /**
   * How many records of a set have not ended, in a time that does not grow with the set, or in slices. A file may
   * count some that ended within the last second. `undefined` where the store does not permit counting.
   */
  countIn(index: string): Promise<number | undefined>
}

/**
 * A {@link RecordStore} whose revocations hold even if another writer of its backend restores an earlier state: what
 * is restored is not returned, by any process that shares it.
 */
export interface RevocableRecords extends RecordStore {
  /**
   * Removes the records of these keys permanently: no later record under them is returned, whichever writer adds it. A
   * name need not be the key of a record; see {@link revokedAt}.
   */
  revoke(names: readonly string[]): Promise<void>
  /**
   * Revokes every record that was written until now, except for the kinds `decisive` and `used`, whose presence
   * refuses a request; see {@link floor}.
   */
  revokeAll(): Promise<void>
  /**
   * When a name was revoked last, in milliseconds since the epoch, by the last read; `undefined` where it was not. A
   * store without other writers need not know.
   */
  revokedAt(name: string): number | undefined
  /**
   * Everything that was written until then is revoked, in milliseconds since the epoch: sign-outs from before may be
   * lost.
   */
  readonly floor: number
}
