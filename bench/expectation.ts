// What a right answer is.

import { z } from 'zod'

const expectationSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('allow'),
    /** `x-remote-user` at the upstream; `undefined` where no transformer sets it. */
    user: z.string().optional(),
    /** `x-remote-group` at the upstream, one line each. */
    groups: z.array(z.string()).readonly(),
    /** Where groups are in the answer; by default where Countersign has several values of a header. */
    groupsIn: z.enum(['metadata', 'headers']).optional(),
    /** Whether the upstream gets the credential of the caller; by default it does not. */
    keepsCredential: z.boolean().optional(),
  }),
  z.object({
    outcome: z.literal('certificate'),
    /** CN of the certificate at the upstream. */
    user: z.string(),
    /** O, one attribute each. */
    groups: z.array(z.string()).readonly(),
    /** The grant keys, which open a handle. */
    keyring: z.string(),
  }),
  z.object({
    outcome: z.literal('token'),
    /** `sub` of the bearer token at the upstream. */
    user: z.string(),
    /** Its `groups`. */
    groups: z.array(z.string()).readonly(),
  }),
  z.object({ outcome: z.literal('deny'), status: z.string() }),
])

/** What a right answer says. */
export type Expectation = z.output<typeof expectationSchema>

const exchangeSchema = z.object({
  bytes: z.instanceof(Uint8Array),
  expectation: expectationSchema,
})

/** The question to a load generator. */
export const loadQuestionSchema = z.discriminatedUnion('do', [
  /** Connects and keeps what will be sent. */
  z.object({
    do: z.literal('prepare'),
    target: z.string(),
    /** Paths of UNIX sockets, or ports of this machine, which take turns. */
    addresses: z.array(z.union([z.string(), z.int()])),
    /** To each address. */
    connections: z.int(),
    exchanges: z.array(exchangeSchema),
  }),
  /** Sends so many requests, so many at a time, and checks every answer. */
  z.object({
    do: z.literal('run'),
    target: z.string(),
    requests: z.int(),
    /** Ends earlier, when so much time has passed. */
    seconds: z.number().optional(),
    concurrency: z.int(),
  }),
  /** Sends so many requests on schedule, whether or not those before have been answered. */
  z.object({
    do: z.literal('pace'),
    target: z.string(),
    requests: z.int(),
    perSecond: z.number(),
  }),
])

/** The result of one run: a run with a wrong answer has no result. Latencies are in milliseconds. */
export const loadResultSchema = z.object({
  requests: z.int(),
  seconds: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  /** How late the generator itself sent a request that was due, p99 in ms; 0 where nothing was due. */
  late: z.number(),
})

/** The result of one run. */
export type LoadResult = z.output<typeof loadResultSchema>
