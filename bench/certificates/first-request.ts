// A new identity: what its first request takes, from the caller to the upstream and back, with a
// certificate that was not requested before. New ones come on schedule, whatever the outcome of the last.

import { loadResultSchema, type LoadResult } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { exchanges, httpEncoder } from '../requests.ts'
import { prepare } from '../row.ts'
import { userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { median } from '../statistics.ts'
import { cpuOf } from '../usage.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { CERTIFICATE_ROUTE, forEachProcess, startSite, type ByProcess } from './site.ts'

/** What the first requests of new identities came to: milliseconds, medians of the rounds. */
export interface FirstRequestCost {
  /** In each round. */
  readonly identities: number
  readonly perSecond: number
  readonly rounds: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** Of all rounds. */
  readonly max: number
  /** CPU in microseconds for each, by process. */
  readonly cpu: ByProcess<number>
}

const PER_SECOND = 20
const TARGET = 'first'

// Far more than are ever under way, unless everything hangs for seconds.
const CONNECTIONS = 64

/** Measures it, in processes of its own. */
export const measureFirstRequest = async (
  installation: Installation,
  { newIdentities: identities, newRounds, newWarmUp, concurrency }: Size,
): Promise<FirstRequestCost> => {
  const users = userNames(newWarmUp + newRounds * identities)
  const site = await startSite(installation, { name: 'first', users })
  const { envoy, pids } = await site.startEnvoy()
  await using load = new Worker('http-load', LOAD_OPTIONS, [site.pki.ca])
  const encode = httpEncoder(CERTIFICATE_ROUTE)
  const everyone = exchanges(users.length, users, encode, site.expectationOf)
  await prepare(load, TARGET, await envoy.port(), CONNECTIONS, everyone)
  await load.ask({ do: 'run', target: TARGET, requests: newWarmUp, concurrency }, loadResultSchema)
  const rounds: Round[] = []
  for (let round = 0; round < newRounds; round++) {
    rounds.push(await measureRound(load, pids, identities))
  }
  const middle = (of: (round: Round) => number): number => median(rounds.map(of))
  return {
    identities,
    perSecond: PER_SECOND,
    rounds: newRounds,
    p50: middle(({ result }) => result.p50),
    p90: middle(({ result }) => result.p90),
    p99: middle(({ result }) => result.p99),
    max: Math.max(...rounds.map(({ result }) => result.max)),
    cpu: forEachProcess((name) => middle(({ cpu }) => cpu[name])),
  }
}

interface Round {
  readonly result: LoadResult
  readonly cpu: ByProcess<number>
}

const measureRound = async (
  load: Worker,
  pids: ByProcess<number>,
  identities: number,
): Promise<Round> => {
  const before = forEachProcess((name) => cpuOf(pids[name]))
  const question = { do: 'pace', target: TARGET, requests: identities, perSecond: PER_SECOND }
  const result = await load.ask(question, loadResultSchema)
  const cpu = forEachProcess((name) => (cpuOf(pids[name]) - before[name]) / identities)
  return { result, cpu }
}
