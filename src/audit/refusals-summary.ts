// What the log keeps of refusals beyond the budget of clients that have not authenticated: counts by
// source, in place of an event for each. Nothing is left out of the counts.

import { countedSource } from '../runtime/counted-source.ts'
import { cutText } from '../runtime/text.ts'
import type { AuditEvent, RefusalsSummaryEvent } from './event.ts'

/** A refusal, as far as it is counted. */
export interface CountedRefusal {
  /** The address; empty where none is known. */
  readonly source: string
  readonly isLogin: boolean
  readonly reason: string
  readonly route?: string | undefined
  readonly user?: string | undefined
}

// A credential was verified, but yields no identity.
const AFTER_PROOF: ReadonlySet<string> = new Set([
  'identity-reserved',
  'identity-unrepresentable',
  'identity-unmapped',
  'identity-too-large',
])

/**
 * What of an event is counted where it is the refusal of a client that has not authenticated: a refused
 * decision, a refused login, or one that was answered with a question, which some RADIUS servers ask
 * before they look at the password. `undefined` for any other event; a permit never is one.
 */
export const unauthenticatedRefusal = (event: AuditEvent): CountedRefusal | undefined => {
  if (event.event === 'decision') {
    const { authentication = 'anonymous', decision, reason, source = '', route, user } = event
    const isUnproven = authentication === 'anonymous' && !AFTER_PROOF.has(reason)
    if (decision !== 'deny' || !isUnproven) return undefined
    return { source, isLogin: false, reason, route, user }
  }
  if (event.event !== 'login' || event.outcome === 'succeeded') return undefined
  const { authentication, outcome, reason = outcome, source, user } = event
  return authentication === undefined ? { source, isLogin: true, reason, user } : undefined
}

// Each has a summary of its own; those of all other sources are counted together.
const SOURCES = 32
// Of the lists of a summary, so that none is longer than 8 KB; reasons are few.
const MAX_REASONS = 100
const MAX_ROUTES = 16
const MAX_USERS = 8
const MAX_NAME = 64

const OTHERS = ''

/** Refusals that have been counted and not yet written. Bounded, however many sources there are. */
export class PendingRefusals {
  readonly #tallies = new Map<string, Tally>()
  #count = 0

  /** How many refusals. */
  get count(): number {
    return this.#count
  }

  /**
   * @param bytes of the event
   * @param now in milliseconds since the epoch
   */
  add(refusal: CountedRefusal, bytes: number, now: number): void {
    this.#tallyOf(countedSource(refusal.source)).add(refusal, bytes, now)
    this.#count += 1
  }

  /** All that were counted; counting starts again from zero. */
  take(): ReadonlyMap<string, Tally> {
    const taken = new Map(this.#tallies)
    this.#tallies.clear()
    this.#count = 0
    return taken
  }

  /** Counts again what could not be written. */
  putBack(source: string, tally: Tally): void {
    this.#tallyOf(source).merge(tally)
    this.#count += tally.count
  }

  #tallyOf(source: string): Tally {
    const own = this.#tallies.get(source)
    if (own !== undefined) return own
    const isKept = source === OTHERS || this.#tallies.size < SOURCES
    const key = isKept ? source : OTHERS
    const tally = this.#tallies.get(key) ?? new Tally()
    this.#tallies.set(key, tally)
    return tally
  }
}

/** The refusals of one source, or of those without a tally of their own. */
class Tally {
  #count = 0
  #logins = 0
  #bytes = 0
  #first = Number.POSITIVE_INFINITY
  #last = 0
  readonly #reasons = new Counts(MAX_REASONS)
  readonly #routes = new Counts(MAX_ROUTES)
  readonly #users = new Counts(MAX_USERS)

  get count(): number {
    return this.#count
  }

  add({ isLogin, reason, route, user }: CountedRefusal, bytes: number, now: number): void {
    this.#count += 1
    this.#logins += isLogin ? 1 : 0
    this.#bytes += bytes
    this.#first = Math.min(this.#first, now)
    this.#last = Math.max(this.#last, now)
    this.#reasons.add(reason, 1)
    if (route !== undefined) this.#routes.add(route, 1)
    if (user !== undefined) this.#users.add(cutText(user, MAX_NAME), 1)
  }

  merge(other: Tally): void {
    this.#count += other.#count
    this.#logins += other.#logins
    this.#bytes += other.#bytes
    this.#first = Math.min(this.#first, other.#first)
    this.#last = Math.max(this.#last, other.#last)
    this.#reasons.merge(other.#reasons)
    this.#routes.merge(other.#routes)
    this.#users.merge(other.#users)
  }

  summary(source: string): RefusalsSummaryEvent {
    const routes = this.#routes.entries().map(([route, count]) => ({ route, count }))
    const users = this.#users.entries().map(([user, count]) => ({ user, count }))
    return {
      event: 'refusals-summary',
      source: source === OTHERS ? undefined : source,
      count: this.#count,
      logins: this.#logins === 0 ? undefined : this.#logins,
      first: new Date(this.#first).toISOString(),
      last: new Date(this.#last).toISOString(),
      reasons: this.#reasons.entries().map(([reason, count]) => ({ reason, count })),
      routes: routes.length === 0 ? undefined : routes,
      users: users.length === 0 ? undefined : users,
      bytes: this.#bytes,
    }
  }
}

/** Counts by name, of the first so many names. */
class Counts {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  add(name: string, count: number): void {
    const known = this.#counts.get(name)
    if (known === undefined && this.#counts.size >= this.#most) return
    this.#counts.set(name, (known ?? 0) + count)
  }

  merge(other: Counts): void {
    for (const [name, count] of other.#counts) this.add(name, count)
  }

  /** The most frequent first. */
  entries(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts].toSorted(([, one], [, other]) => other - one)
  }
}
