// A row of the table: the request, its receiver, and one measurement of it.

import { z } from 'zod'
import { loadResultSchema, type Expectation, type LoadResult } from './expectation.ts'
import { cpuOf, residentOf } from './usage.ts'
import type { Worker } from './worker.ts'

/** One thing that is measured. */
export interface Row {
  readonly name: string
  /** The generator, and what it calls the target that was prepared for this row. */
  readonly load: Worker
  readonly target: string
  /** Requests in each round. */
  readonly requests: number
  /** Ends a round earlier, when so much time has passed. */
  readonly seconds?: number
  readonly concurrency: number
  /** Requests a second, at the times at which they are due; without it, as fast as they are answered. */
  readonly perSecond?: number
  /** Whether each round also measures one request at a time. */
  readonly alone: boolean
  /** The processes that answer checks, if any. */
  readonly authorizers: readonly number[]
  /** Envoy, where it takes part. */
  readonly envoy: number | undefined
}

/** What one round of a row came to. Times of latency are in milliseconds, of CPU in microseconds. */
export interface Measurement {
  /** That were answered. */
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  /** The longest that a request waited for its answer: the longest stall. */
  readonly longest: number
  /** The median with one request at a time: what a caller waits when there is no other one. */
  readonly alone: number | undefined
  /** Of the processes that answer checks, for each. */
  readonly cpu: number | undefined
  readonly envoyCpu: number | undefined
  /** Of the load generator: where it is the largest, the rate is its own limit. */
  readonly loadCpu: number
  /** How late the generator sent what was due, p99. */
  readonly late: number
  /** Resident memory of the processes that answer checks, in bytes. */
  readonly resident: number | undefined
}

/** Measures a row once. */
export const measure = async (row: Row): Promise<Measurement> => {
  const { load, authorizers, envoy } = row
  const before = cpuOfAll(row)
  const { requests, seconds, p50, p90, p99, p999, max, late } = await send(row, row.requests)
  const after = cpuOfAll(row)
  const spent = (...pids: readonly number[]): number =>
    pids.reduce((sum, pid) => sum + (after.get(pid) ?? 0) - (before.get(pid) ?? 0), 0) / requests
  const ofOne = row.concurrency === 1 ? p50 : undefined
  const alone = row.alone ? (await sendOneAtATime(row, aloneRequests(row.requests))).p50 : ofOne
  return {
    requests,
    requestsPerSecond: requests / seconds,
    p50,
    p90,
    p99,
    p999,
    longest: max,
    alone,
    cpu: authorizers.length === 0 ? undefined : spent(...authorizers),
    envoyCpu: envoy === undefined ? undefined : spent(envoy),
    loadCpu: spent(load.pid),
    late,
    resident:
      authorizers.length === 0
        ? undefined
        : authorizers.reduce((sum, pid) => sum + residentOf(pid), 0),
  }
}

/** Sends that many requests without measuring: compiles what is hot, fills what is remembered. */
export const warmUp = async (row: Row, requests: number): Promise<number> =>
  (await saturate(row, requests, row.concurrency, undefined)).seconds

/** How many requests are sent one at a time in each round, in addition to those many at a time. */
export const aloneRequests = (requests: number): number => Math.max(20, Math.round(requests / 20))

const send = async (row: Row, requests: number): Promise<LoadResult> => {
  const { load, target, perSecond, concurrency, seconds } = row
  return perSecond === undefined
    ? await saturate(row, requests, concurrency, seconds)
    : await load.ask({ do: 'pace', target, requests, perSecond }, loadResultSchema)
}

const sendOneAtATime = (row: Row, requests: number): Promise<LoadResult> =>
  saturate(row, requests, 1, undefined)

const saturate = async (
  { load, target }: Row,
  requests: number,
  concurrency: number,
  seconds: number | undefined,
): Promise<LoadResult> =>
  await load.ask({ do: 'run', target, requests, seconds, concurrency }, loadResultSchema)

const cpuOfAll = ({ load, authorizers, envoy }: Row): ReadonlyMap<number, number> =>
  new Map(
    [load.pid, ...authorizers, ...(envoy === undefined ? [] : [envoy])].map((pid) => [
      pid,
      cpuOf(pid),
    ]),
  )

/** A path of a UNIX socket, or a port of this machine. */
export type Address = string | number

/** Has a generator connect to a target, so often to each address, and keep what it will send. */
export const prepare = async (
  load: Worker,
  target: string,
  address: Address | readonly Address[],
  connections: number,
  exchanges: readonly { readonly bytes: Buffer; readonly expectation: Expectation }[],
): Promise<void> => {
  const addresses = Array.isArray(address) ? address : [address]
  await load.ask({ do: 'prepare', target, addresses, connections, exchanges }, z.undefined())
}
