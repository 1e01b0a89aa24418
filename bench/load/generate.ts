// Sends requests to a target and checks each answer: so many at a time, where the next request goes
// out when the one before it has come back, or at the times at which they are due.

import { loadQuestionSchema, type Expectation, type LoadResult } from '../expectation.ts'
import { answerQuestions } from '../processes/answer.ts'
import { quantile } from '../statistics.ts'
import { atDueTimes, preciseNow } from './due-clock.ts'

/** Called once for a request, when its answer was the right one, or with what was wrong. */
type Done = (failure?: Error) => void

/** Sends one request and checks its answer. */
type Send = (index: number, done: Done) => void

/** What a kind of load has to bring: connections, and exchanges on them. */
export type Connect = (
  addresses: readonly (string | number)[],
  connections: number,
  exchanges: readonly { readonly bytes: Buffer; readonly expectation: Expectation }[],
) => Promise<Send>

/** Answers the bench's questions to a load generator. */
export const generateLoad = (connect: Connect): void => {
  const targets = new Map<string, { readonly send: Send; next: number }>()
  answerQuestions(async (message): Promise<LoadResult | undefined> => {
    const question = loadQuestionSchema.parse(message)
    if (question.do === 'prepare') {
      const exchanges = question.exchanges.map(({ bytes, expectation }) => ({
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        expectation,
      }))
      const send = await connect(question.addresses, question.connections, exchanges)
      targets.set(question.target, { send, next: 0 })
      return undefined
    }
    const target = targets.get(question.target)
    if (target === undefined) throw new Error(`nothing was prepared for ${question.target}`)
    const first = target.next
    const result =
      question.do === 'run'
        ? await run(target.send, first, question)
        : await pace(target.send, first, question.requests, question.perSecond)
    target.next += result.requests
    return result
  })
}

interface Amount {
  readonly requests: number
  readonly seconds?: number | undefined
  readonly concurrency: number
}

/** As many requests as there shall be, or as there is time for. */
const run = async (
  send: Send,
  first: number,
  { requests, seconds = Number.POSITIVE_INFINITY, concurrency }: Amount,
): Promise<LoadResult> => {
  const latencies: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const started = performance.now()
  const ends = started + seconds * 1_000
  let sent = 0
  let open = 0
  const sendNext = (now: number): void => {
    if (sent >= requests || now >= ends) {
      if (open === 0) resolve()
      return
    }
    const index = first + sent
    sent += 1
    open += 1
    send(index, (failure) => {
      if (failure !== undefined) return reject(failure)
      const end = performance.now()
      latencies.push(end - now)
      open -= 1
      sendNext(end)
    })
  }
  for (let one = 0; one < Math.min(concurrency, requests); one++) sendNext(performance.now())
  await promise
  return resultOf(latencies, performance.now() - started, [])
}

/** Latency counts from the time at which a request was due, so that none hides behind another. */
const pace = async (
  send: Send,
  first: number,
  requests: number,
  perSecond: number,
): Promise<LoadResult> => {
  const latencies: number[] = []
  const late: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const started = preciseNow()
  const sendAll = atDueTimes(requests, perSecond, (index, due) => {
    late.push(preciseNow() - due)
    send(first + index, (failure) => {
      if (failure !== undefined) return reject(failure)
      latencies.push(preciseNow() - due)
      if (latencies.length === requests) resolve()
    })
  })
  await Promise.all([promise, sendAll])
  return resultOf(latencies, preciseNow() - started, late)
}

const resultOf = (
  latencies: readonly number[],
  ms: number,
  late: readonly number[],
): LoadResult => {
  const sorted = Float64Array.from(latencies).toSorted()
  return {
    requests: sorted.length,
    seconds: ms / 1_000,
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: quantile(sorted, 1),
    late: late.length === 0 ? 0 : quantile(Float64Array.from(late).toSorted(), 0.99),
  }
}
