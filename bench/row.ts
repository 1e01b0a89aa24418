// A row of the table: the request, its receiver, and one measurement of it.

import { z } from 'zod'
import { loadResultSchema, type Expectation } from './expectation.ts'
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
  readonly concurrency: number
  /** The process that answers checks, if any. */
  readonly authorizer: number | undefined
  /** Envoy, where it takes part. */
  readonly envoy: number | undefined
}

/** What one round of a row came to. Times of latency are in milliseconds, of CPU in microseconds. */
export interface Measurement {
  readonly requestsPerSecond: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** The median with one request at a time: what a caller waits when there is no other one. */
  readonly alone: number
  /** Of the process that answers checks, for each. */
  readonly cpu: number | undefined
  readonly envoyCpu: number | undefined
  /** Of the load generator: where it is the largest, the rate is its own limit. */
  readonly loadCpu: number
  /** Resident memory of the process that answers checks, in bytes. */
  readonly resident: number | undefined
}

/** Measures a row once. */
export const measure = async (row: Row): Promise<Measurement> => {
  const { load, requests, authorizer, envoy } = row
  const before = cpuOfAll(row)
  const { seconds, p50, p90, p99 } = await send(row, requests, row.concurrency)
  const after = cpuOfAll(row)
  const spent = (pid: number | undefined): number | undefined =>
    pid === undefined ? undefined : ((after.get(pid) ?? 0) - (before.get(pid) ?? 0)) / requests
  const alone = row.concurrency === 1 ? p50 : (await send(row, aloneRequests(requests), 1)).p50
  return {
    requestsPerSecond: requests / seconds,
    p50,
    p90,
    p99,
    alone,
    cpu: spent(authorizer),
    envoyCpu: spent(envoy),
    loadCpu: spent(load.pid) ?? 0,
    resident: authorizer === undefined ? undefined : residentOf(authorizer),
  }
}

/** Sends that many requests without measuring: compiles what is hot, fills what is remembered. */
export const warmUp = async (row: Row, requests: number): Promise<number> =>
  (await send(row, requests, row.concurrency)).seconds

/** How many requests are sent one at a time in each round, in addition to those many at a time. */
export const aloneRequests = (requests: number): number => Math.max(20, Math.round(requests / 20))

const send = async ({ load, target }: Row, requests: number, concurrency: number) =>
  await load.ask({ do: 'run', target, requests, concurrency }, loadResultSchema)

const cpuOfAll = ({ load, authorizer, envoy }: Row): ReadonlyMap<number, number> =>
  new Map(
    [load.pid, authorizer, envoy].flatMap((pid) => (pid === undefined ? [] : [[pid, cpuOf(pid)]])),
  )

/** Has a generator connect to a target and keep what it will send. */
export const prepare = async (
  load: Worker,
  target: string,
  address: string | number,
  connections: number,
  exchanges: readonly { readonly bytes: Buffer; readonly expectation: Expectation }[],
): Promise<void> => {
  await load.ask({ do: 'prepare', target, address, connections, exchanges }, z.undefined())
}
