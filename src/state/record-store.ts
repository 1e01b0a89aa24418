// The seam for what people who log in leave behind: sessions, codes, refresh tokens, logins under way.
// A record is a text that ends by itself; what stands in it, and who may see it, a store cannot tell.

/** A record, as it is written and as it is read. */
export interface StoredRecord {
  readonly text: string
  /** Milliseconds left to it, whole, and more than 0. */
  readonly lifetime: number
}

/** The kinds of records. */
export const RECORD_KINDS = ['anonymous', 'login', 'decisive', 'used', 'public'] as const

/**
 * What a record is worth, and so which room it takes.
 *
 * - `anonymous`: a client without a proven identity caused it, and few can: a device code before it is
 *   approved, the question for a second factor.
 * - `public`: the same, which public clients and browsers cause as often as they like: a pushed authorization
 *   request (RFC 9126), a callback of an upstream IdP that was used.
 * - `login`: sessions, grants, codes and tokens of a person or a client that has authenticated.
 * - `decisive`: what refuses where it is found: sign-outs, marks of ended logins, used logout tokens.
 * - `used`: one-time values that a client may send before it is authenticated, such as the `jti` of a
 *   DPoP proof (RFC 9449 §11.1). Without the record the value counts as new.
 */
export type RecordKind = (typeof RECORD_KINDS)[number]

/** Whether the oldest records of a kind make room for new ones. */
export const yields = (kind: RecordKind): boolean => kind === 'anonymous' || kind === 'public'

/** A record that is written for the first time, or in place of another. */
export interface NewRecord extends StoredRecord {
  readonly kind: RecordKind
}

/**
 * Keeps records under keys, each to its end and no longer. Keys, texts and names of sets are of any
 * length and well-formed Unicode.
 *
 * Each call is atomic, also against those of other processes: it happens wholly or not at all, and
 * nobody sees half of it. All reject when the store cannot be reached or has no room left, with a
 * CountersignError `unavailable` or `overloaded`; it is not known then whether the call has happened.
 *
 * Each kind has a room of its own, which no other kind can take (`quotas.ts`). Where the room of
 * `anonymous` or `public` is full, its oldest records make room for new ones. No record of another kind is
 * removed before its end: a write that does not fit is refused with `overloaded`, and what the key had stays.
 *
 * No record is returned once its time is over, by the clock of the store: a monotonic one in memory,
 * this machine's for a file, the server's for Redis. Where such a clock is set back, records live on.
 */
export interface RecordStore {
  /**
   * Writes in place of what the key had, text, end and sets.
   *
   * @param indexes the sets in which the key stands until its record ends or is removed
   */
  put(key: string, record: NewRecord, indexes?: readonly string[]): Promise<void>
  /** Writes only where the key has nothing, and says whether it did: of two at once one does. */
  add(key: string, record: NewRecord, indexes?: readonly string[]): Promise<boolean>
  /**
   * Writes only where the key still has the text `before`, and says whether it did: of two who change
   * a record at once, one is told. It stays in the sets in which it stands, and of its kind.
   */
  replace(key: string, before: string, record: StoredRecord): Promise<boolean>
  /** The record of a key. */
  get(key: string): Promise<StoredRecord | undefined>
  /** Reads and removes in one step: of two that come together one gets it. */
  take(key: string): Promise<StoredRecord | undefined>
  /** Removes what there is under these keys. */
  remove(keys: readonly string[]): Promise<void>
  /** The keys in a set whose records have not ended, in no order. */
  keysIn(index: string): Promise<readonly string[]>
}

/**
 * A {@link RecordStore} whose revocations hold whatever others do who can write what stands behind it: what
 * they put back of an earlier state is not returned, here and in every process that shares it.
 */
export interface RevocableRecords extends RecordStore {
  /**
   * Removes what there is under these keys, for good: nothing is returned under them any more, whoever
   * writes it. A name need not be the key of a record; see {@link revokedAt}.
   */
  revoke(names: readonly string[]): Promise<void>
  /**
   * Revokes every record that was written until now, but for those of the kinds `decisive` and `used`,
   * which refuse where they are found; see {@link floor}.
   */
  revokeAll(): Promise<void>
  /**
   * When a name was revoked last, in milliseconds since the epoch, as far as the last read has told;
   * `undefined` where it was not. A store that nobody else can write need not know.
   */
  revokedAt(name: string): number | undefined
  /**
   * Everything from until then is revoked, in milliseconds since the epoch: sign-outs from before may be
   * lost.
   */
  readonly floor: number
}
