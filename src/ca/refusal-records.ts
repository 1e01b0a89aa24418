// What the audit log gets of refusals: each one at first, then counts. An Envoy asks again with every
// request, and any process that reaches the socket can ask for any number of names.

import type {
  CertificateRefusal,
  CertificateRefusedEvent,
  RefusalsCountedEvent,
} from '../audit/event.ts'
import type { Clock } from '../runtime/clock.ts'
import { TokenBucket } from '../runtime/token-bucket.ts'

/** What {@link RefusalRecords} needs. */
export interface RefusalRecordsOptions {
  readonly clock: Clock
  /** Writes an event; never rejects. */
  readonly write: (event: CertificateRefusedEvent | RefusalsCountedEvent) => Promise<unknown>
}

// As for Envoy's own refusals: 500 lines at once, then 10 a second.
const BUDGET = { burst: 500, perSecond: 10 }

/** Counts are written this long after the first refusal that they hold. */
const WINDOW_MS = 60_000

interface Repeated {
  readonly event: CertificateRefusedEvent
  count: number
}

/**
 * Records refusals. The first of a handle and reason within a minute is an event of its own, as long
 * as the budget lasts. What follows is counted: by handle and reason, or, of handles that had no event,
 * by reason alone. The counts are written each minute, and at the end.
 */
export class RefusalRecords implements AsyncDisposable {
  readonly #options: RefusalRecordsOptions
  readonly #budget: TokenBucket
  readonly #repeated = new Map<string, Repeated>()
  readonly #others = new Map<CertificateRefusal, number>()
  #since: number
  #timer: NodeJS.Timeout | undefined

  constructor(options: RefusalRecordsOptions) {
    this.#options = options
    this.#budget = new TokenBucket(BUDGET, options.clock)
    this.#since = options.clock.now()
  }

  /** Records one refusal; resolves when its event is written, if it has one. */
  async record(event: CertificateRefusedEvent): Promise<void> {
    this.#begin()
    const key = `${event.handle} ${event.reason}`
    const repeated = this.#repeated.get(key)
    if (repeated !== undefined) repeated.count += 1
    else if (this.#budget.take()) {
      this.#repeated.set(key, { event, count: 0 })
      await this.#options.write(event)
    } else this.#others.set(event.reason, (this.#others.get(event.reason) ?? 0) + 1)
  }

  /** Writes the counts and begins anew. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const since = new Date(this.#since).toISOString()
    const counted = (reason: CertificateRefusal, count: number, handle?: string) =>
      this.#options.write({ event: 'certificate-refusals-summary', handle, reason, count, since })
    const writes = [
      ...[...this.#repeated.values()]
        .filter(({ count }) => count > 0)
        .map(({ event, count }) => counted(event.reason, count, event.handle)),
      ...[...this.#others].map(([reason, count]) => counted(reason, count)),
    ]
    this.#repeated.clear()
    this.#others.clear()
    await Promise.all(writes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }

  #begin(): void {
    if (this.#timer !== undefined) return
    this.#since = this.#options.clock.now()
    this.#timer = setTimeout(() => void this.flush(), WINDOW_MS).unref()
  }
}
