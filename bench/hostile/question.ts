// The questions to the generator of hostile load, and its answers.

import { z } from 'zod'

const requestSchema = z.object({
  /** With pseudo-headers; several values are several lines. */
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  body: z.string().optional(),
})

/** A request over HTTP/2. */
export type HostileRequest = z.output<typeof requestSchema>

const peer = {
  port: z.int(),
  /** The address of the client, one of 127.0.0.0/8. */
  from: z.string(),
}

/** A question to it. */
export const hostileQuestionSchema = z.discriminatedUnion('do', [
  /** Sends these, so many a second. */
  z.object({
    do: z.literal('run'),
    ...peer,
    requests: z.array(requestSchema),
    perSecond: z.number(),
  }),
  /** Opens so many connections, over HTTP/1.1, and sends these bytes on each. */
  z.object({ do: z.literal('hold'), ...peer, count: z.int(), bytes: z.string() }),
  /** Closes them. */
  z.object({ do: z.literal('release') }),
])

/** How a status begins that Envoy answered with by itself. */
export const BY_ENVOY = 'Envoy'

/** How many there were of each status; `reset` without one, `open` and `closed` of connections. */
export const hostileAnswersSchema = z.record(z.string(), z.int())

/** The answers, by status. */
export type HostileAnswers = z.output<typeof hostileAnswersSchema>
