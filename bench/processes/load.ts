// Sends requests to a target and checks each answer: so many at a time, where the next request goes
// out when the one before it has come back, or on schedule.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadQuestionSchema, type Expectation, type LoadResult } from '../expectation.ts'
import { quantile } from '../statistics.ts'
import { answerQuestions } from './answer.ts'

/** One request and the check of its answer, which throws when it is not the right one. */
export type Send = (index: number) => Promise<void>

/** What a kind of load has to bring: connections, and exchanges on them. */
export type Connect = (
  address: string | number,
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
      const send = await connect(question.address, question.connections, exchanges)
      targets.set(question.target, { send, next: 0 })
      return undefined
    }
    const target = targets.get(question.target)
    if (target === undefined) throw new Error(`nothing was prepared for ${question.target}`)
    const start = target.next
    target.next += question.requests
    return question.do === 'run'
      ? await run(target.send, start, question.requests, question.concurrency)
      : await pace(target.send, start, question.requests, question.perSecond)
  })
}

const run = async (
  send: Send,
  first: number,
  requests: number,
  concurrency: number,
): Promise<LoadResult> => {
  const latencies = new Float64Array(requests)
  let sent = 0
  const sender = async (): Promise<void> => {
    while (sent < requests) {
      const index = sent
      sent += 1
      const before = performance.now()
      await send(first + index)
      latencies[index] = performance.now() - before
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: Math.min(concurrency, requests) }, sender))
  return resultOf(latencies, started)
}

/** Latency counts from the time at which a request was due, so that none hides behind another. */
const pace = async (
  send: Send,
  first: number,
  requests: number,
  perSecond: number,
): Promise<LoadResult> => {
  const latencies = new Float64Array(requests)
  const started = performance.now()
  const sendOnTime = async (index: number): Promise<void> => {
    const due = started + (index * 1_000) / perSecond
    await sleep(Math.max(0, due - performance.now()))
    await send(first + index)
    latencies[index] = performance.now() - due
  }
  await Promise.all(Array.from({ length: requests }, (_, index) => sendOnTime(index)))
  return resultOf(latencies, started)
}

const resultOf = (latencies: Float64Array, started: number): LoadResult => {
  const seconds = (performance.now() - started) / 1_000
  latencies.sort()
  return {
    seconds,
    p50: quantile(latencies, 0.5),
    p90: quantile(latencies, 0.9),
    p99: quantile(latencies, 0.99),
    max: quantile(latencies, 1),
  }
}
