// Token buckets by source address, for what an unauthenticated client can cause: questions to a back
// end, records of an audit log. Bounded in memory however many addresses a client has.

import type { Clock } from './clock.ts'
import { countedSource } from './counted-source.ts'
import { TokenBucket, type Rate } from './token-bucket.ts'

/** What one source may cause. */
interface SourceBudgetRules extends Rate {
  /** How many {@link SourceBudgets.begin} admits at a time. Default: not limited. */
  readonly outstanding?: number
}

/** What a {@link SourceBudgets} needs. */
export interface SourceBudgetsOptions extends SourceBudgetRules {
  readonly clock: Clock
  /** How many sources have a bucket of their own. Default: 10,000, some 3 MB. */
  readonly sources?: number
  /** How many bits of an IPv6 address are one source. Default: 64. */
  readonly ipv6Prefix?: number
}

/** Work that was admitted; see {@link SourceBudgets.begin}. */
export interface AdmittedWork {
  /** The work has ended; a second call does nothing. */
  readonly end: () => void
  /** Puts back what was taken: the work does not count against the source after all. */
  readonly giveBack: () => void
}

const MAX_SOURCES = 10_000
// How many of the least recently used buckets are looked at for one that may be forgotten: work that
// takes long must not keep those behind it.
const LOOKED_AT = 8
// What all sources without a bucket of their own have together, in budgets of one source: little for a
// client with a network full of addresses, enough for some users who arrive meanwhile.
const SHARED_BY = 20

/**
 * A budget for each source address.
 *
 * A bucket is forgotten only when it is full again and nothing of its source is outstanding, which
 * loses nothing. While no bucket can be forgotten, new sources share one of 20 budgets: a client with
 * many addresses cannot get fresh budgets by filling the table.
 */
export class SourceBudgets {
  readonly #options: SourceBudgetsOptions
  // The least recently used first.
  readonly #buckets = new Map<string, Bucket>()
  readonly #shared: Bucket
  #refused = 0

  constructor(options: SourceBudgetsOptions) {
    const { burst, perSecond, outstanding } = options
    this.#options = options
    this.#shared = new Bucket(
      {
        burst: burst * SHARED_BY,
        perSecond: perSecond * SHARED_BY,
        ...(outstanding === undefined ? {} : { outstanding: outstanding * SHARED_BY }),
      },
      options.clock,
    )
  }

  /** How many sources have a bucket of their own now. */
  get size(): number {
    return this.#buckets.size
  }

  /** How often something was refused, since the start. */
  get refused(): number {
    return this.#refused
  }

  /**
   * Takes an amount from the budget of a source.
   *
   * @param address IPv4 or IPv6 text, as Envoy trusts it; other text is a source of its own
   * @param amount in the units of the rules; what exceeds `burst` is always refused. Default: 1
   * @returns false, and takes nothing, where less is left
   */
  take(address: string, amount = 1): boolean {
    const taken = this.#use(address).take(amount)
    if (!taken) this.#refused += 1
    return taken
  }

  /**
   * Takes an amount for work that lasts a while, and counts it as outstanding until it ends.
   *
   * @returns `undefined`, and takes nothing, where less is left or too much is outstanding
   */
  begin(address: string, amount = 1): AdmittedWork | undefined {
    const work = this.#use(address).begin(amount)
    if (work === undefined) this.#refused += 1
    return work
  }

  /** In how many milliseconds there is enough; 0 for now. What is outstanding may take longer. */
  waitOf(address: string, amount = 1): number {
    const own = this.#buckets.get(this.#keyOf(address))
    return (own ?? this.#shared).waitFor(amount)
  }

  #keyOf(address: string): string {
    return countedSource(address, this.#options.ipv6Prefix)
  }

  #use(address: string): Bucket {
    const { sources = MAX_SOURCES, clock } = this.#options
    const key = this.#keyOf(address)
    const known = this.#buckets.get(key)
    if (known !== undefined) this.#buckets.delete(key)
    else if (this.#buckets.size >= sources && !this.#forgetOne()) return this.#shared
    const bucket = known ?? new Bucket(this.#options, clock)
    this.#buckets.set(key, bucket)
    return bucket
  }

  /** Whether a bucket could be forgotten, and was. */
  #forgetOne(): boolean {
    for (const [key, bucket] of this.#buckets.entries().take(LOOKED_AT)) {
      if (bucket.isFull) return this.#buckets.delete(key)
    }
    return false
  }
}

/** The budget of one source, or of those that share one. */
class Bucket {
  readonly #rules: SourceBudgetRules
  readonly #tokens: TokenBucket
  #outstanding = 0

  constructor(rules: SourceBudgetRules, clock: Clock) {
    this.#rules = rules
    this.#tokens = new TokenBucket(rules, clock)
  }

  /** Whether it is as a new one would be. */
  get isFull(): boolean {
    return this.#outstanding === 0 && this.#tokens.left >= this.#rules.burst
  }

  take(amount: number): boolean {
    return this.#tokens.take(amount)
  }

  begin(amount: number): AdmittedWork | undefined {
    const { outstanding = Number.POSITIVE_INFINITY } = this.#rules
    if (this.#outstanding >= outstanding || !this.take(amount)) return undefined
    this.#outstanding += 1
    let hasEnded = false
    return {
      end: () => {
        if (!hasEnded) this.#outstanding -= 1
        hasEnded = true
      },
      giveBack: () => this.#tokens.giveBack(amount),
    }
  }

  waitFor(amount: number): number {
    return this.#tokens.waitFor(amount)
  }
}
