// What the supervisor and a worker of authz say to each other over the IPC channel.

import * as z from 'zod'
import type { Condition } from '../runtime/health.ts'

/** What the supervisor asks of a worker. */
export type Question =
  | {
      readonly ask:
        | 'metrics'
        | 'conditions'
        | 'changed'
        | 'reopen'
        | 'reopen-audit'
        | 'prepare'
        | 'conclude'
    }
  /** A prepared configuration is not used, since another worker cannot use it. */
  | { readonly ask: 'give-up'; readonly reason: string }

/** A question with the number of its answer. */
export type NumberedQuestion = Question & { readonly id: number }

const conditionSchema = z.object({
  name: z.string(),
  state: z.enum(['ok', 'warning', 'failed']),
  reason: z.string().default(''),
})

/** A health check of a worker, and its state. */
export type NamedCondition = { readonly name: string } & Condition

/** What an answer has to be. */
export interface AnswerSchema<T> {
  /** @throws where it is something else */
  parse(answer: unknown): T
}

/** The answers, by question. */
export const ANSWERS = {
  metrics: z.string(),
  conditions: z.array(conditionSchema),
  /** Whether a file of the configuration is not what was read. */
  changed: z.boolean(),
  reopen: z.null(),
  'reopen-audit': z.null(),
  /** Whether the next configuration can be used, and from which files it was built. */
  prepare: z.object({ failure: z.string().optional(), fingerprint: z.string() }),
  conclude: z.null(),
  'give-up': z.null(),
} as const

/** The answer to a question. */
export type AnswerTo<Ask extends Question['ask']> = z.output<(typeof ANSWERS)[Ask]>

/** What a worker says. */
export const workerMessageSchema = z.union([
  /** It serves: where, and by which files it decides. */
  z.object({ ready: z.string(), fingerprint: z.string() }),
  /** A file of the configuration has changed (`false`), or it received SIGHUP (`true`). */
  z.object({ reload: z.boolean() }),
  z.object({ id: z.int(), answer: z.unknown() }),
])

/** What a worker says. */
export type WorkerMessage = z.output<typeof workerMessageSchema>

const questionSchema = z.union([
  z.object({
    id: z.int(),
    ask: z.enum([
      'metrics',
      'conditions',
      'changed',
      'reopen',
      'reopen-audit',
      'prepare',
      'conclude',
    ]),
  }),
  z.object({ id: z.int(), ask: z.literal('give-up'), reason: z.string() }),
])

/** A question as it arrives; `undefined` where it is none. */
export const readQuestion = (message: unknown): NumberedQuestion | undefined =>
  questionSchema.safeParse(message).data
