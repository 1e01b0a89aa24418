// What Countersign wants to be, in terms of floors in the same run. The report says which goals are met; no run
// fails by them.

import { AGING_ROWS } from '../aging/aging.ts'
import { AGED } from '../checks/aged.ts'
import { COUNTERSIGN } from '../checks/countersign.ts'
import { rowName, SCENARIOS } from '../checks/direct.ts'
import { FLOORS } from '../checks/floors.ts'
import { ENVOY_SCENARIOS } from '../checks/through-envoy.ts'
import type { Results } from '../report.ts'
import type { Summary } from '../rounds.ts'
import { PROCESS_ROWS } from '../side-by-side.ts'
import { goal, ratioIn, type Goal } from './goal.ts'
import { certificateGoals, credentialGoals, reloadGoals } from './other-goals.ts'

/** Every goal that there is a figure for. */
export const goalsOf = (results: Results): readonly Goal[] => [
  ...directGoals(results),
  ...envoyGoals(results),
  ...credentialGoals(results),
  ...certificateGoals(results),
  ...reloadGoals(results),
  ...agingGoals(results),
]

const finderIn =
  ({ checks }: Results) =>
  (scenario: string, server: string): Summary | undefined =>
    checks?.rows.find(({ name }) => name === rowName(scenario, server))

const directGoals = (results: Results): readonly Goal[] => {
  const find = finderIn(results)
  const { same, many, pacedSame, pacedMany, cold } = SCENARIOS
  const own = (scenario: string): Summary | undefined => find(scenario, COUNTERSIGN)
  const process = (index: number): Summary | undefined =>
    results.processes?.find(({ name }) => name === PROCESS_ROWS.paced[index])
  const tokens = results.size.tokens.toLocaleString('en')
  return [
    goal(
      'CPU of a check by a known JWT, saturated',
      '× no-op on grpc-go',
      ['at most', 0.5],
      ratioIn(own(same), find(same, FLOORS.grpcGo), ({ cpu }) => cpu),
    ),
    goal(`the same with ${tokens} tokens in turn`, 'µs', ['at most', 15], own(many)?.cpu),
    goal(
      'CPU of a check by a new JWT',
      '× grpc-go verifier',
      ['at most', 1.3],
      ratioIn(own(cold), find(cold, FLOORS.verifier), ({ cpu }) => cpu),
    ),
    ...[same, many].map((scenario) =>
      goal(
        `CPU of a check after 100 reloads, ${scenario}`,
        '× a fresh process',
        ['at most', 1.1],
        ratioIn(find(scenario, AGED), own(scenario), ({ cpu }) => cpu),
      ),
    ),
    goal('p99 at 1,000/s', 'ms', ['at most', 0.5], own(pacedSame)?.p99),
    goal('p99.9 at 1,000/s', 'ms', ['at most', 3], own(pacedSame)?.p999),
    goal(`p99 at 1,000/s with ${tokens} tokens`, 'ms', ['at most', 0.5], own(pacedMany)?.p99),
    goal(`p99.9 at 1,000/s with ${tokens} tokens`, 'ms', ['at most', 3], own(pacedMany)?.p999),
    goal(
      `memory with ${tokens} identities`,
      'MB',
      ['at most', 200],
      megabytes(own(many)?.resident),
    ),
    goal(
      'CPU of a check with two processes, each at 2,000/s',
      '× one process',
      ['at most', 1.05],
      ratioIn(process(1), process(0), ({ cpu }) => cpu),
    ),
  ].flat()
}

/** A process that worked for long, next to a fresh one. */
const agingGoals = ({ aging }: Results): readonly Goal[] => {
  if (aging === undefined) return []
  const find = (row: string): Summary | undefined => aging.rows.find(({ name }) => name === row)
  const [aged, fresh] = [find(AGING_ROWS.aged), find(AGING_ROWS.fresh)]
  const time = `${Math.round(aging.seconds / 60)} minutes and ${aging.reloads} reloads`
  return [
    goal(
      `CPU of a check after ${time}`,
      '× a fresh process',
      ['at most', 1.1],
      ratioIn(aged, fresh, ({ cpu }) => cpu),
    ),
    goal(
      `memory after ${time}, with ${aging.identities.toLocaleString('en')} identities`,
      'MB',
      ['at most', 200],
      megabytes(aged?.resident),
    ),
  ].flat()
}

const megabytes = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : bytes / 1e6

const envoyGoals = (results: Results): readonly Goal[] => {
  const find = finderIn(results)
  const { saturated, paced } = ENVOY_SCENARIOS
  const [own, floor] = [COUNTERSIGN, FLOORS.grpcGo].map((server) => find(paced, server))
  return [
    goal(
      'requests through Envoy, saturated',
      '× no-op on grpc-go',
      ['at least', 1.2],
      ratioIn(
        find(saturated, COUNTERSIGN),
        find(saturated, FLOORS.grpcGo),
        ({ requestsPerSecond }) => requestsPerSecond,
      ),
    ),
    goal(
      'p50 through Envoy at 1,000/s',
      '× no-op on grpc-go',
      ['at most', 1],
      ratioIn(own, floor, ({ p50 }) => p50),
    ),
    goal(
      'p99 through Envoy at 1,000/s',
      '× no-op on grpc-go',
      ['at most', 1],
      ratioIn(own, floor, ({ p99 }) => p99),
    ),
  ].flat()
}
