// How fast a CA issues: a token bucket for all that it issues, and a smaller one for each identity.

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { LimitsConfig } from './schema.ts'
import type { Grant } from '../grant/grant.ts'
import type { Clock } from '../runtime/clock.ts'
import { TokenBucket } from '../runtime/token-bucket.ts'
import { EXTENSIONS } from '../x509/oid.ts'

// One identity needs a certificate for each route, for each expiry of its credentials (some 16 in a
// lifetime, grant/validity.ts), and again for each half of a lifetime.
const SHARE = { perSecond: 4, burst: 64 }

// Of a CA that issues slowly, one identity has at most this part.
const LARGEST_PART = 1 / 2

// A bucket that is dropped is a full one again. At the default rate of a CA, so many identities take
// longer than a bucket takes to fill.
const MOST_IDENTITIES = 10_000

/** Whether a certificate may be issued now; if not, whose rate is used up. */
export type RateVerdict = 'within' | 'authority-exceeded' | 'identity-exceeded'

/**
 * The rate of one CA. Each identity has a share of it: 4 certificates a second lastingly, 64 at once,
 * and never more than half, so that repeated requests for one identity leave room for other identities.
 */
export class AuthorityRate {
  readonly rate: LimitsConfig['rate']
  readonly #clock: Clock
  readonly #all: TokenBucket
  readonly #share: LimitsConfig['rate']
  readonly #byIdentity = new LRUCache<string, TokenBucket>({ max: MOST_IDENTITIES })

  constructor(rate: LimitsConfig['rate'], clock: Clock) {
    this.rate = rate
    this.#clock = clock
    this.#all = new TokenBucket(rate, clock)
    this.#share = {
      perSecond: Math.min(SHARE.perSecond, rate.perSecond * LARGEST_PART),
      burst: Math.max(1, Math.min(SHARE.burst, Math.floor(rate.burst * LARGEST_PART))),
    }
  }

  /** How many certificates may be issued at once now. */
  get left(): number {
    return this.#all.left
  }

  /** Counts a certificate for the identity of a grant, if it is within both rates. */
  take(grant: Grant): RateVerdict {
    const identity = identityOf(grant)
    const share = this.#byIdentity.get(identity) ?? new TokenBucket(this.#share, this.#clock)
    this.#byIdentity.set(identity, share)
    if (share.left < 1) return 'identity-exceeded'
    if (!this.#all.take()) return 'authority-exceeded'
    share.take()
    return 'within'
  }
}

/** Subject and alternative names: some templates distinguish their users by the latter alone. */
const identityOf = ({ subject, extensions }: Grant): string => {
  const hash = createHash('sha256').update(subject)
  for (const { oid, value } of extensions) {
    if (oid === EXTENSIONS.subjectAltName) hash.update(value)
  }
  return hash.digest('base64')
}
