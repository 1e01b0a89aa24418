// The audit log of authz: what clients that have not authenticated can write to it is bounded. Beyond
// the budget their refusals are counted, and the counts are written.

import type { AuditConfig } from './schema.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { SourceBudgets } from '../runtime/source-budgets.ts'
import { CHAIN_BYTES } from './chain.ts'
import { settled, type RecordDone } from './done.ts'
import type { AuditEvent } from './event.ts'
import { PendingRefusals, unauthenticatedRefusal } from './refusals-summary.ts'
import type { AuditSink, DecisionSink, JsonLinesSink } from './sink.ts'
import type { AuditStatistics } from './statistics.ts'

/** What it needs. */
export interface BudgetedSinkOptions {
  readonly sink: JsonLinesSink
  readonly budget: AuditConfig['unauthenticated']
  readonly clock: Clock
  readonly logger: Logger
}

// A /48 is a site, which has 65,536 /64 to send from (RFC 6177).
const SITE_PREFIX = 48
const SITE_SOURCES = 4

/** What one kind of refusal may take: of each site, of each source, and of all. */
class Budget {
  /** Asked first: what a site has beyond its share needs no bucket for each of its sources. */
  readonly #sites: SourceBudgets
  readonly #sources: SourceBudgets
  readonly #total: SourceBudgets

  constructor({ source, total }: Limits, clock: Clock) {
    this.#sites = new SourceBudgets({
      burst: SITE_SOURCES * source.burst,
      perSecond: SITE_SOURCES * source.perSecond,
      ipv6Prefix: SITE_PREFIX,
      clock,
    })
    this.#sources = new SourceBudgets({ ...source, clock })
    this.#total = new SourceBudgets({ ...total, clock, sources: 1 })
  }

  take(source: string, bytes: number): boolean {
    return (
      this.#sites.take(source, bytes) &&
      this.#sources.take(source, bytes) &&
      this.#total.take('', bytes)
    )
  }
}

type Limits = Exclude<AuditConfig['unauthenticated'], 'unlimited'>

/**
 * Writes events to a sink, except refusals of clients that have not authenticated beyond their budget:
 * these are counted by source. Their `write` resolves at once: they are in a summary that will be written,
 * which takes at most `summaryInterval`; while it cannot be, the counts are kept and it is tried again. A crash
 * loses the counts since the last summary.
 */
export class BudgetedSink implements AuditSink, DecisionSink, AsyncDisposable {
  readonly #sink: JsonLinesSink
  readonly #clock: Clock
  readonly #logger: Logger
  /** Wrong passwords have one of their own, so that a flood of anything else hides no guessing. */
  readonly #budgets: { readonly guesses: Budget; readonly others: Budget } | undefined
  readonly #interval: number = 0
  readonly #pending = new PendingRefusals()
  #timer: NodeJS.Timeout | undefined
  /** Of the summaries that are being written. */
  #writing: Promise<void> = Promise.resolve()
  #summarised = 0

  constructor({ sink, budget, clock, logger }: BudgetedSinkOptions) {
    this.#sink = sink
    this.#clock = clock
    this.#logger = logger
    if (budget === 'unlimited') return
    this.#budgets = { guesses: new Budget(budget, clock), others: new Budget(budget, clock) }
    this.#interval = budget.summaryInterval
  }

  async write(event: AuditEvent): Promise<void> {
    await settled((done) => this.record(event, done))
  }

  record(event: AuditEvent, done: RecordDone): void {
    const budgets = this.#budgets
    const refusal = budgets && unauthenticatedRefusal(event)
    if (budgets === undefined || refusal === undefined) return this.#sink.record(event, done)
    const line = this.#sink.lineOf(event)
    const bytes = Buffer.byteLength(line) + CHAIN_BYTES
    const budget = refusal.reason === 'credential-wrong' ? budgets.guesses : budgets.others
    if (budget.take(refusal.source, bytes)) return this.#sink.append(line, done)
    this.#pending.add(refusal, bytes, this.#clock.now())
    this.#summarised += 1
    this.#schedule()
    done(undefined)
  }

  flush(): void {
    this.#sink.flush()
  }

  /** Writes the summaries of all that was counted; what cannot be written is counted again. Never rejects. */
  async summarise(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const writes = [...this.#pending.take()].map(async ([source, tally]) => {
      try {
        await this.#sink.write(tally.summary(source))
      } catch {
        this.#pending.putBack(source, tally) // the sink counts and tells that it fails
        this.#schedule()
      }
    })
    const before = this.#writing
    this.#writing = Promise.all(writes).then(async () => await before)
    await this.#writing
  }

  /** Opens the file anew, for log rotation; what was counted until now is in the one before. */
  reopen(): void {
    void this.summarise()
    this.#sink.reopen()
  }

  /** Reads the key of checkpoints again. */
  async renewKey(): Promise<void> {
    await this.#sink.renewKey()
  }

  /** The counters as they are now. */
  statistics(): AuditStatistics {
    return { ...this.#sink.statistics(), summarised: this.#summarised }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing
    await this.summarise()
    clearTimeout(this.#timer)
    const { count } = this.#pending
    if (count > 0) this.#logger.error({ refusals: count }, 'refusals not recorded')
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.summarise(), this.#interval).unref()
  }
}
