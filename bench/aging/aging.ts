// A process that has worked for long: 1,000 checks a second by many tokens in turn, with reloads all the while, and then next to
// a fresh process, in turns.

import { COUNTERSIGN, startCountersign, type RunningCountersign } from '../checks/countersign.ts'
import { issue, type Issued } from '../credentials/tokens.ts'
import { loadResultSchema, type LoadResult } from '../expectation.ts'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges, type Exchange } from '../requests.ts'
import { measureInRounds, type Summary } from '../rounds.ts'
import { prepare, warmUp, type Row } from '../row.ts'
import { HEADERS_ROUTE, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { residentOf } from '../usage.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'

const PER_SECOND = 1_000
// Each token several times.
const WARM_UP_TURNS = 3

/** The rows, in their order. */
export const AGING_ROWS = { aged: 'aged', fresh: 'fresh' } as const

/** What a process comes to. Bytes, and milliseconds. */
export interface AgingCost {
  /** How long it worked, and how much it did. */
  readonly seconds: number
  readonly checks: number
  readonly identities: number
  readonly reloads: number
  /** Saturated, in turns: CPU of the aged one in terms of the fresh one's in the same round. */
  readonly rows: readonly Summary[]
  /** Resident: of the aged one when it had warmed up and when it had worked, and of the fresh one when it had warmed up. */
  readonly resident: { readonly before: number; readonly after: number; readonly fresh: number }
  /** Of the checks in the first and the last reload's share of the time. */
  readonly first: Pick<LoadResult, 'p50' | 'p99'>
  readonly last: Pick<LoadResult, 'p50' | 'p99'>
}

/** Measures it: takes the seconds that the size has, and one minute; nothing where it has none. */
export const measureAging = async (
  { tokens, inFlight, scenarioSeconds, aging: { seconds, reloads, rounds } }: Size,
  progress: (text: string) => void,
): Promise<AgingCost | undefined> => {
  if (seconds === undefined) return undefined
  await using installation = await Installation.open()
  const users = userNames(tokens)
  const issued = await issue(installation, 'ES256', users)
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const start = async (name: string): Promise<Aging> => {
    const options = { name: `${COUNTERSIGN}, ${name}`, file: name }
    const server = await startCountersign(installation, issued, options)
    await prepare(load, name, server.port, 1, sentBy(issued, users, server))
    const row = rowOf(name, load, server, { concurrency: inFlight, seconds: scenarioSeconds })
    await warmUp(row, tokens * WARM_UP_TURNS)
    return { server, row, resident: residentOf(server.worker.pid) }
  }
  const aged = await start(AGING_ROWS.aged)
  const shares = await work(aged, { seconds, reloads }, progress)
  const after = residentOf(aged.server.worker.pid)
  const fresh = await start(AGING_ROWS.fresh)
  const rows = await measureInRounds([aged.row, fresh.row], AGING_ROWS.fresh, rounds, progress)
  return {
    seconds,
    checks: shares.reduce((sum, { requests }) => sum + requests, 0),
    identities: tokens,
    reloads: shares.length,
    rows,
    resident: { before: aged.resident, after, fresh: fresh.resident },
    first: latencyOf(shares[0]),
    last: latencyOf(shares.at(-1)),
  }
}

interface Aging {
  readonly server: RunningCountersign
  readonly row: Row
  readonly resident: number
}

const latencyOf = ({ p50 = Number.NaN, p99 = Number.NaN }: Partial<LoadResult> = {}) => ({
  p50,
  p99,
})

/** Has it work, with a reload in each share of the time. */
const work = async (
  { server, row: { load, target } }: Aging,
  { seconds, reloads }: Pick<AgingCost, 'seconds' | 'reloads'>,
  progress: (text: string) => void,
): Promise<readonly LoadResult[]> => {
  const requests = Math.ceil((seconds * PER_SECOND) / reloads)
  const shares: LoadResult[] = []
  for (let share = 0; share < reloads; share++) {
    progress(`aging: reload ${share + 1} of ${reloads}`)
    const question = { do: 'pace', target, requests, perSecond: PER_SECOND }
    const [result] = await Promise.all([
      load.ask(question, loadResultSchema),
      server.worker.reload(),
    ])
    shares.push(result)
  }
  return shares
}

const sentBy = (
  { tokens }: Issued,
  users: readonly string[],
  { expectationOf }: RunningCountersign,
): readonly Exchange[] =>
  exchanges(users.length, users, checkEncoder(HEADERS_ROUTE), expectationOf, (user) => ({
    headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]],
  }))

const rowOf = (
  name: string,
  load: Worker,
  { pids }: RunningCountersign,
  amount: Pick<Row, 'concurrency' | 'seconds'>,
): Row => ({
  name,
  load,
  target: name,
  alone: false,
  authorizers: pids,
  envoy: undefined,
  requests: Number.MAX_SAFE_INTEGER,
  ...amount,
})
