// Several rounds over all rows, and their result. The rows take turns, so that other load on the machine
// affects all of them.

import { aloneRequests, measure, warmUp, type Measurement, type Row } from './row.ts'
import type { Size } from './size.ts'
import { median } from './statistics.ts'

/** A row's medians over all rounds. */
export interface Summary extends Measurement {
  readonly name: string
  /** In each round. */
  readonly requests: number
  /** CPU of the authorizer in terms of the floor's in the same round. */
  readonly ratio: number | undefined
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
    if (seconds === undefined) {
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
  { requests, concurrency }: Pick<Row, 'requests' | 'concurrency'>,
  { rounds, warmUpRequests }: Pick<Size, 'rounds' | 'warmUpRequests'>,
): number => {
  const alone = concurrency === 1 ? 0 : aloneRequests(requests)
  return Math.min(warmUpRequests, requests) + rounds * (requests + alone)
}

/** Measures every row in every round; `progress` is called before each. */
export const measureInRounds = async (
  rows: readonly Row[],
  floor: string,
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
  const floors = measured.get(floor) ?? []
  return rows.map(({ name, requests }) => ({
    name,
    requests,
    ...summarise(measured.get(name) ?? [], floors),
  }))
}

const summarise = (
  rounds: readonly Measurement[],
  floors: readonly Measurement[],
): Omit<Summary, 'name' | 'requests'> => {
  const middle = (take: (of: Measurement, round: number) => number | undefined) => {
    const numbers = rounds.flatMap((round, index) => take(round, index) ?? [])
    return numbers.length === 0 ? undefined : median(numbers)
  }
  const certain = (take: (of: Measurement) => number): number => median(rounds.map(take))
  return {
    requestsPerSecond: certain((round) => round.requestsPerSecond),
    p50: certain((round) => round.p50),
    p90: certain((round) => round.p90),
    p99: certain((round) => round.p99),
    alone: certain((round) => round.alone),
    loadCpu: certain((round) => round.loadCpu),
    cpu: middle((round) => round.cpu),
    envoyCpu: middle((round) => round.envoyCpu),
    resident: middle((round) => round.resident),
    ratio: middle((round, index) => {
      const floor = floors[index]?.cpu
      return round.cpu === undefined || floor === undefined ? undefined : round.cpu / floor
    }),
  }
}
