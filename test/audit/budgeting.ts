// An audit log with a budget for clients that have not authenticated, and what is in it.

import { readFile } from 'node:fs/promises'
import { BudgetedSink } from '../../src/audit/budgeted-sink.ts'
import type { AuditEvent, DecisionEvent, RefusalsSummaryEvent } from '../../src/audit/event.ts'
import type { LoginEvent } from '../../src/audit/event.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import type { AuditConfig } from '../../src/audit/schema.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import type { TemporaryFolder } from '../servers/temporary.ts'

/** Where the flood comes from. */
export const FLOODING = '203.0.113.7'

/** A refused request of a client without a credential. */
export const refusal = (source: string, fields: Partial<DecisionEvent> = {}): DecisionEvent => ({
  event: 'decision',
  id: '0b2c6b1e-0000-4000-8000-000000000001',
  decision: 'deny',
  reason: 'credential-missing',
  status: 401,
  route: 'app',
  method: 'GET',
  host: 'app.example.org',
  path: `/${'a'.repeat(300)}`,
  source,
  duration: 100,
  generation: 1,
  ...fields,
})

/** A wrong password at the login page. */
export const login = (fields: Partial<LoginEvent> = {}): LoginEvent => ({
  event: 'login',
  request: '570a07aa-0000-4000-8000-000000000002',
  outcome: 'refused',
  loginMethod: 'password',
  reason: 'credential-wrong',
  client: 'cli',
  source: FLOODING,
  user: 'alice',
  ...fields,
})

/** What a source may take at once, in bytes. */
export const SOURCE_BURST = 8_192
/** What all may. */
export const TOTAL_BURST = 65_536
/** The budget of these tests. */
export const BUDGET = {
  source: { burst: SOURCE_BURST, perSecond: 100 },
  total: { burst: TOTAL_BURST, perSecond: 1_000 },
  summaryInterval: 3_600_000, // summaries are written when the test says so
}
/** In bytes; of names as they are in these tests. */
export const LONGEST_SUMMARY = 6_144
/** At one time. */
export const MOST_SUMMARIES = 33

/** A sink, its clock, and what it logged. */
export interface Written extends AsyncDisposable {
  readonly audit: BudgetedSink
  readonly clock: FakeClock
  readonly log: readonly string[]
}

/** A sink with a budget on a file of the folder. */
export const open = (
  folder: TemporaryFolder,
  budget: AuditConfig['unauthenticated'] = BUDGET,
): Written => {
  const sink = new JsonLinesSink(folder.file('audit.jsonl'))
  const clock = new FakeClock()
  const { logger, lines: log } = memoryLogger()
  const audit = new BudgetedSink({ sink, budget, clock, logger })
  return {
    audit,
    clock,
    log,
    async [Symbol.asyncDispose]() {
      await audit[Symbol.asyncDispose]()
      sink[Symbol.dispose]()
    },
  }
}

/** What is in a log. */
export interface Log {
  readonly bytes: number
  readonly decisions: readonly DecisionEvent[]
  readonly logins: readonly LoginEvent[]
  readonly summaries: readonly (RefusalsSummaryEvent & { readonly line: string })[]
}

/** Reads a log. */
export const readLog = async (path: string): Promise<Log> => {
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n').slice(0, -1)
  const events = lines.map((line): AuditEvent & { line: string } => ({ ...JSON.parse(line), line }))
  return {
    bytes: Buffer.byteLength(text),
    decisions: events.filter((event) => event.event === 'decision'),
    logins: events.filter((event) => event.event === 'login'),
    summaries: events.filter((event) => event.event === 'refusals-summary'),
  }
}

/** The sum of counts. */
export const total = (counts: readonly { readonly count: number }[]): number =>
  counts.reduce((sum, { count }) => sum + count, 0)
