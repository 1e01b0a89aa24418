// Several rounds over all rows, and their result. The rows take turns, so that other load on the machine
// affects all of them.

import { aloneRequests, measure, warmUp, type Measurement, type Row } from './row.ts'
import type { Size } from './size.ts'
import { median } from './statistics.ts'

/** A row's medians over all rounds. */
export interface Summary extends Measurement {
  readonly name: string
  /** CPU of the authorizer in terms of the floor's in the same round. */
  readonly ratio: number | undefined
  /** What each round came to. */
  readonly rounds: readonly Measurement[]
}

/**
 * Warms up every row and fixes how much it does: what it says, or what takes so many seconds in
 * all rounds together.
 */
export const settle = async (
  rows: readonly Row[],
  { rounds, warmUpRequests }: Size,
  seconds: number | undefined,
): Promise<readonly Row[]> => {
  const settled: Row[] = []
  for (const row of rows) {
    const requests = Math.min(warmUpRequests, row.requests)
    await warmUp(row, requests)
    if (seconds === undefined || row.seconds !== undefined || row.perSecond !== undefined) {
      settled.push(row)
    } else {
      const taken = await warmUp(row, requests)
      const wanted = Math.round((requests / taken) * (seconds / rounds))
      settled.push({ ...row, requests: Math.max(row.concurrency, wanted) })
    }
  }
  return settled
}

/** How many requests a row sends in all, where no duration is given. */
export const sentInAll = (
  { requests, alone }: Pick<Row, 'requests' | 'alone'>,
  { rounds, warmUpRequests }: Pick<Size, 'rounds' | 'warmUpRequests'>,
): number =>
  Math.min(warmUpRequests, requests) + rounds * (requests + (alone ? aloneRequests(requests) : 0))

/**
 * Measures every row in every round; `progress` is called before each.
 *
 * @param floor the name of the row that all other rows are compared with, or of the one that a row is
 */
export const measureInRounds = async (
  rows: readonly Row[],
  floor: string | ((row: Row) => string),
  rounds: number,
  progress: (text: string) => void,
): Promise<readonly Summary[]> => {
  const measured = new Map<string, Measurement[]>(rows.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // There and back: no row always comes after the same other one.
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      progress(`round ${round + 1} of ${rounds}: ${row.name}`)
      measured.get(row.name)?.push(await measure(row))
    }
  }
  return rows.map((row) => {
    const floors = measured.get(typeof floor === 'string' ? floor : floor(row)) ?? []
    const own = measured.get(row.name) ?? []
    return { name: row.name, ...mediansOf(own), ratio: ratioOf(own, floors), rounds: own }
  })
}

/** CPU of one row in terms of another's in the same round: the median of that; absent where one has none. */
const ratioOf = (
  rounds: readonly Pick<Measurement, 'cpu'>[],
  floors: readonly Pick<Measurement, 'cpu'>[],
): number | undefined =>
  medianOf(
    rounds.map(({ cpu }, index) => {
      const floor = floors[index]?.cpu
      return cpu === undefined || floor === undefined ? undefined : cpu / floor
    }),
  )

const medianOf = (numbers: readonly (number | undefined)[]): number | undefined => {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : median(known)
}

const mediansOf = (rounds: readonly Measurement[]): Measurement => {
  const certain = (take: (of: Measurement) => number): number => median(rounds.map(take))
  return {
    requests: certain((round) => round.requests),
    requestsPerSecond: certain((round) => round.requestsPerSecond),
    p50: certain((round) => round.p50),
    p90: certain((round) => round.p90),
    p99: certain((round) => round.p99),
    p999: certain((round) => round.p999),
    longest: certain((round) => round.longest),
    loadCpu: certain((round) => round.loadCpu),
    late: certain((round) => round.late),
    alone: medianOf(rounds.map((round) => round.alone)),
    cpu: medianOf(rounds.map((round) => round.cpu)),
    envoyCpu: medianOf(rounds.map((round) => round.envoyCpu)),
    resident: medianOf(rounds.map((round) => round.resident)),
  }
}
