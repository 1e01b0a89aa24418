// What a right answer is.

import { z } from 'zod'

const expectationSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('allow'),
    /** `x-remote-user` at the upstream; `undefined` where no transformer sets it. */
    user: z.string().optional(),
    /** `x-remote-group` at the upstream, one line each. */
    groups: z.array(z.string()).readonly(),
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
    /** The path of a UNIX socket, or a port of this machine. */
    address: z.union([z.string(), z.int()]),
    connections: z.int(),
    exchanges: z.array(exchangeSchema),
  }),
  /** Sends so many requests, so many at a time, and checks every answer. */
  z.object({
    do: z.literal('run'),
    target: z.string(),
    requests: z.int(),
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

/** What became of one run: a run with a wrong answer has no result. */
export const loadResultSchema = z.object({
  seconds: z.number(),
  /** Milliseconds. */
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  max: z.number(),
})

/** What became of one run. */
export type LoadResult = z.output<typeof loadResultSchema>
