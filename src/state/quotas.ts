// The quota of each kind of record. A kind cannot use another one's, so that unauthenticated clients cannot displace a
// session, or prevent a sign-out.

import { CountersignError } from '../runtime/errors.ts'
import type { RecordKind } from './record-store.ts'

/** The quota of one kind. */
export interface Quota {
  readonly entries: number
  /** Approximate: each store estimates the overhead of a record. */
  readonly bytes: number
}

/** How much of its quota one kind takes. */
export interface KindUsage {
  readonly kind: RecordKind
  readonly bytes: number
  readonly maxBytes: number
}

/** The quota of every kind. */
export type Quotas = Readonly<Record<RecordKind, Quota>>

const MEBIBYTE = 1024 * 1024

/** In the memory of a process: 128 MiB in all. Logins: some 3,300 with a session, 20 KB each (measured). */
export const MEMORY_QUOTAS: Quotas = {
  anonymous: { entries: 10_000, bytes: 16 * MEBIBYTE },
  public: { entries: 10_000, bytes: 16 * MEBIBYTE },
  login: { entries: 200_000, bytes: 64 * MEBIBYTE },
  decisive: { entries: 100_000, bytes: 24 * MEBIBYTE },
  used: { entries: 20_000, bytes: 8 * MEBIBYTE },
}

/**
 * In Redis. Records that clients cause without authentication are bounded here; the server's own `maxmemory` bounds
 * the rest.
 */
export const REDIS_QUOTAS: Quotas = {
  anonymous: { entries: 50_000, bytes: 32 * MEBIBYTE },
  public: { entries: 50_000, bytes: 32 * MEBIBYTE },
  login: { entries: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
  decisive: { entries: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
  used: { entries: 100_000, bytes: 32 * MEBIBYTE },
}

/** Of a state file. The rest is for attempts and used proofs, which have tables of their own. */
export const fileQuotas = (maxBytes: number): Quotas => {
  const share = (part: number): Quota => ({
    entries: Number.POSITIVE_INFINITY,
    bytes: Math.floor(maxBytes * part),
  })
  return {
    anonymous: share(1 / 16),
    public: share(1 / 16),
    login: share(1 / 2),
    decisive: share(1 / 8),
    used: share(1 / 16),
  }
}

/** The refusal of a record whose kind has used up its quota. */
export const fullOf = (kind: RecordKind): CountersignError =>
  new CountersignError('overloaded', `there is no room left for records of the kind "${kind}"`)
