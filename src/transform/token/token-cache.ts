// Cached tokens for upstreams, minted or received from a token endpoint, of all routes and over reloads: bounded,
// and made once for all requests that need it at the same time. Whether one may still be used is
// checked each time (`fits`).

import { LRUCache } from 'lru-cache'

/** A token, and what is known of it. Times are milliseconds since the epoch. */
export interface HeldToken {
  readonly token: string
  /** `jti`, where it is known. */
  readonly id: string | undefined
  /** The signing key. */
  readonly kid?: string
  /** `auth_time` in seconds, where it has one. */
  readonly authTime?: number | undefined
  /** Until when it is used; from then on another is made. */
  readonly until: number
  /** Its end; `undefined` where the server did not send it. */
  readonly expires: number | undefined
}

/** How often tokens were needed, and the outcomes. Counts since the start. */
interface TokenLookups {
  /** Held. */
  readonly hits: number
  /** In progress for another request. */
  readonly joined: number
  /** Had to be made. */
  readonly misses: number
}

/** What is held, and how often it helped. */
export interface TokenCacheStatistics {
  /** By kind of token. */
  readonly lookups: ReadonlyMap<string, TokenLookups>
  readonly entries: number
  /** Of the tokens alone. */
  readonly bytes: number
  readonly maxBytes: number
  readonly evictions: number
}

// A token of a user in some groups has 700 bytes.
const MAX_ENTRIES = 10_000
const MAX_BYTES = 32 * 1_024 * 1_024

type Counts = { -readonly [Name in keyof TokenLookups]: number }

/** The cache; one for the process. */
export class TokenCache {
  readonly #counts = new Map<string, Counts>()
  #evictions = 0
  #pending = new Map<string, Promise<HeldToken>>()
  #epoch = 0
  readonly #tokens = new LRUCache<string, HeldToken>({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ token }) => token.length,
    dispose: (_token, _key, reason) => {
      if (reason === 'evict') this.#evictions += 1
    },
  })

  /** Counts a token that was found without a look in here, since its caller was known. */
  countHit(kind: string): void {
    this.#countsOf(kind).hits += 1
  }

  /**
   * The token that is held, if it fits, or the one that `make` yields, which is held from now on.
   * Rejects as `make` does; then nothing is held.
   *
   * @param key digest of everything that the token depends on
   * @param make must not depend on the signal of one of the waiting requests
   */
  async tokenOf(
    kind: string,
    key: string,
    fits: (held: HeldToken) => boolean,
    make: () => Promise<HeldToken>,
  ): Promise<HeldToken> {
    const counts = this.#countsOf(kind)
    const held = this.#tokens.get(key)
    if (held !== undefined && fits(held)) {
      counts.hits += 1
      return held
    }
    const underWay = this.#pending.get(key)
    if (underWay !== undefined) {
      const token = await underWay
      if (fits(token)) {
        counts.joined += 1
        return token
      }
    }
    counts.misses += 1
    const { pending, epoch } = { pending: this.#pending, epoch: this.#epoch }
    const made = make()
      .then((token) => {
        if (this.#epoch === epoch) this.#tokens.set(key, token)
        return token
      })
      .finally(() => {
        if (pending.get(key) === made) pending.delete(key)
      })
    pending.set(key, made)
    return await made
  }

  /** Forgets every token, also those that are under way. */
  revoke(): void {
    this.#epoch += 1
    this.#tokens.clear()
    this.#pending = new Map()
  }

  /** The counters as they are now. */
  statistics(): TokenCacheStatistics {
    return {
      lookups: new Map([...this.#counts].map(([kind, counts]) => [kind, { ...counts }])),
      entries: this.#tokens.size,
      bytes: this.#tokens.calculatedSize,
      maxBytes: MAX_BYTES,
      evictions: this.#evictions,
    }
  }

  #countsOf(kind: string): Counts {
    const known = this.#counts.get(kind)
    if (known !== undefined) return known
    const counts = { hits: 0, joined: 0, misses: 0 }
    this.#counts.set(kind, counts)
    return counts
  }
}
