// What `state` holds, for metrics: asked of the store at intervals, so that a scrape reads numbers in memory, however often it
// comes. Each answer takes the store a time that does not grow with what it holds.

import { countSessions, SESSION_KINDS, type SessionKind } from '../logins/session-counts.ts'
import type { Clock } from '../runtime/clock.ts'
import { gauge, type Metric, type Sample } from '../runtime/metrics/metric.ts'
import { LOCK_OUT_KINDS, type LockOuts } from '../state/attempt-store.ts'
import type { StoreHealth, StoreSize } from '../state/opened-state.ts'
import type { State } from '../state/state.ts'

/** What is sampled. */
export interface SampledState {
  readonly state: {
    readonly records: Pick<State['records'], 'countIn'>
    readonly attempts: Pick<State['attempts'], 'lockOuts'>
  }
  readonly store: Pick<StoreHealth, 'size'>
  readonly clock: Clock
}

const EVERY_MS = 15_000

// The same for all authz of a store: in queries it is max, and not sum.
const SAMPLED = 'Sampled every 15 s; the same in every authz that shares the store.'

// Two that failed, and the next.
const OLDEST_MS = 3 * EVERY_MS

interface Sampled {
  readonly at: number
  readonly sessions: ReadonlyMap<SessionKind, number>
  readonly lockOuts: LockOuts | undefined
  readonly size: StoreSize | undefined
}

/** Samples of one store. Without {@link StateSamples.begin} there are none. */
export class StateSamples implements Disposable {
  readonly #sampled: SampledState
  #latest: Sampled | undefined
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(sampled: SampledState) {
    this.#sampled = sampled
  }

  /** Samples now and at intervals. */
  begin(): void {
    void this.refresh()
    this.#timer = setInterval(() => void this.refresh(), EVERY_MS).unref()
  }

  /** Samples now; calls at the same time share one sample. Never rejects. */
  async refresh(): Promise<void> {
    this.#running ??= this.#sample().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  /** A store that does not answer leaves the sample before it in place for a while. */
  async #sample(): Promise<void> {
    const { state, store, clock } = this.#sampled
    try {
      const at = clock.monotonic()
      const sessions = await countSessions(state.records)
      const lockOuts = await state.attempts.lockOuts()
      this.#latest = { at, sessions, lockOuts, size: await store.size?.() }
    } catch {
      // The operations of requests report it, and `countersign_state_up` does.
    }
  }

  get #recent(): Sampled | undefined {
    const latest = this.#latest
    if (latest === undefined) return undefined
    return this.#sampled.clock.monotonic() - latest.at <= OLDEST_MS ? latest : undefined
  }

  /** The metrics; without samples while the store does not answer. */
  readonly metrics: readonly Metric[] = [
    gauge(
      'countersign_sessions',
      `Sessions that have not ended, by kind: of browsers on routes (browser), at the OpenID provider (login), grants of clients with their refresh tokens (grant), device codes that wait for their user (device-code). ${SAMPLED}`,
      () => [...(this.#recent?.sessions ?? [])].map(([kind, value]) => sampleOf(kind, value)),
      { kind: SESSION_KINDS },
    ),
    gauge(
      'countersign_lockouts',
      `Lock-outs after failed passwords that last, by what is locked out: a user at a source, a user, or a source. ${SAMPLED}`,
      () => {
        const counts = this.#recent?.lockOuts
        if (counts === undefined) return []
        return LOCK_OUT_KINDS.map((kind) => sampleOf(kind, counts[kind] ?? 0))
      },
      { kind: LOCK_OUT_KINDS },
    ),
    this.#sizeGauge(
      'countersign_state_store_bytes',
      'Size of the store: of memory its records, of SQLite the used pages of the file, of Redis the memory of the server, with what other clients store.',
      ({ bytes }) => bytes,
    ),
    this.#sizeGauge(
      'countersign_state_store_max_bytes',
      'How large the store may become: `maxBytes` of SQLite, `maxmemory` of Redis; absent for a Redis without.',
      ({ maxBytes }) => maxBytes,
    ),
    this.#sizeGauge(
      'countersign_state_store_keys',
      'Keys in the database of Redis, with those of other clients; absent for other stores.',
      ({ keys }) => keys,
    ),
  ]

  #sizeGauge(name: string, help: string, valueOf: (size: StoreSize) => number | undefined): Metric {
    return gauge(name, `${help} ${SAMPLED}`, () => {
      const size = this.#recent?.size
      const value = size && valueOf(size)
      return value === undefined ? [] : [{ labels: {}, value }]
    })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

const sampleOf = (kind: string, value: number): Sample<number> => ({ labels: { kind }, value })
