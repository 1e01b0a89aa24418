// Password hashes: which kinds are accepted, and how they are verified and made. libuv's thread pool does the work, a
// few hashes at a time, so that checks of other callers continue meanwhile.

import { availableParallelism } from 'node:os'
import { countedSource } from '../../runtime/counted-source.ts'
import { FairLimiter } from '../../runtime/fair-limiter.ts'
import type { VerificationContext } from './verifier.ts'

/** A hash that can be verified. */
export interface PasswordHash {
  readonly kind: 'argon2id' | 'bcrypt'
  /** The PHC or crypt string. */
  readonly text: string
}

/** A usable hash, or the reason why the text is not one. */
export type HashReading =
  | { readonly ok: true; readonly hash: PasswordHash }
  | { readonly ok: false; readonly message: string }

const ARGON2ID =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const BCRYPT = /^\$2[aby]\$(0[4-9]|[1-9]\d)\$[./A-Za-z0-9]{53}$/
// A users file must not be able to exhaust the machine: one hash may take 1 GiB and some seconds.
const MAX_ARGON2_KIB = 1_048_576
const MAX_ARGON2_PASSES = 20
const MAX_BCRYPT_COST = 16

const REMEDY = 'make a new entry with "countersign hash-password"'
const REFUSED: readonly (readonly [prefix: RegExp, what: string])[] = [
  [/^\{SHA\}/i, 'is a SHA-1 hash, which is guessed at billions a second'],
  [/^\{SSHA\}/i, 'is a salted SHA-1 hash, which is guessed at billions a second'],
  [/^\$(apr1|1)\$/, 'is an MD5 hash, which is guessed at millions a second'],
  [/^\$[56]\$/, 'is a SHA-crypt hash, which is not supported'],
  [/^\$argon2[id]\$/, 'is argon2i or argon2d; only argon2id is accepted (RFC 9106 §4)'],
]

/** Reads a stored hash: argon2id (RFC 9106, PHC form) or bcrypt; everything else is refused. */
export const readHash = (text: string): HashReading => {
  const refused = REFUSED.find(([prefix]) => prefix.test(text))
  if (refused !== undefined) return { ok: false, message: `${refused[1]}: ${REMEDY}` }
  const argon2 = ARGON2ID.exec(text)
  if (argon2 !== null && isSound(argon2)) {
    const affordable = Number(argon2[1]) <= MAX_ARGON2_KIB && Number(argon2[2]) <= MAX_ARGON2_PASSES
    if (affordable) return { ok: true, hash: { kind: 'argon2id', text } }
    return {
      ok: false,
      message: `asks for more than 1 GiB or ${MAX_ARGON2_PASSES} passes: ${REMEDY}`,
    }
  }
  const bcrypt = BCRYPT.exec(text)
  if (bcrypt !== null) {
    if (Number(bcrypt[1]) <= MAX_BCRYPT_COST) return { ok: true, hash: { kind: 'bcrypt', text } }
    return { ok: false, message: `has a bcrypt cost above ${MAX_BCRYPT_COST}: ${REMEDY}` }
  }
  if (text.startsWith('$'))
    return { ok: false, message: `is not an argon2id or bcrypt hash: ${REMEDY}` }
  return { ok: false, message: `is a plain or DES-crypt password, not a hash: ${REMEDY}` }
}

/**
 * Whether argon2id can compute it at all (RFC 9106 §3.1: at least 8 KiB a lane; salt and tag in base64 without
 * padding). Otherwise its user would receive "unavailable" at every request.
 */
const isSound = ([, memory, , lanes, ...encoded]: readonly string[]): boolean =>
  Number(memory) >= 8 * Number(lanes) &&
  encoded.every(
    (text) => Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text,
  )

// Native code, which is loaded with the first hash of its kind.
const loadArgon2 = () => import('@node-rs/argon2')
const loadBcrypt = () => import('@node-rs/bcrypt')

/** Makes a hash. argon2id (the library's default) has 19 MiB, 2 passes, 1 lane: the OWASP Password Storage minimum. */
export const makeHash = async (kind: PasswordHash['kind'], password: string): Promise<string> =>
  kind === 'bcrypt'
    ? await (await loadBcrypt()).hash(password, 12)
    : await (
        await loadArgon2()
      ).hash(password, {
        memoryCost: 19_456,
        timeCost: 2,
        parallelism: 1,
      })

// One core is left to the event loop, and one thread of libuv's pool to reading files. The queue is bounded: requests
// beyond it would exceed Envoy's timeout anyway.
const POOL_THREADS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
const CONCURRENCY = Math.max(1, Math.min(availableParallelism(), POOL_THREADS) - 1)
const MAX_WAITING = 128

/** Verifies passwords, a bounded number at a time, with a fair share for each source address. */
export class HashPool {
  readonly #limiter: FairLimiter

  /** @param processes how many share the cores */
  constructor(processes = 1) {
    this.#limiter = new FairLimiter({
      name: 'passwords',
      concurrency: Math.max(1, Math.floor(CONCURRENCY / processes)),
      waiting: MAX_WAITING,
    })
  }

  /**
   * Whether the password has this hash.
   *
   * @param context.source the caller's address
   * @throws CountersignError `overloaded` when too many are waiting; the signal's reason when it
   *   aborts before the work began
   */
  async verify(
    hash: PasswordHash,
    password: string,
    { source, signal }: VerificationContext,
  ): Promise<boolean> {
    return await this.#limiter.run(countedSource(source), signal, async () =>
      hash.kind === 'bcrypt'
        ? await (await loadBcrypt()).verify(password, hash.text)
        : await (await loadArgon2()).verify(hash.text, password),
    )
  }
}
