// The fourth part of the bench: what it costs to go by many rules. Rules are evaluated in this
// process, without the check around them, and the sets take turns.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { evaluate } from '../../src/authorize/evaluate.ts'
import type { Policy } from '../../src/authorize/policy.ts'
import type { Question } from '../../src/authorize/question.ts'
import type { Size } from '../size.ts'
import { median, quantile } from '../statistics.ts'
import { threadCpu } from '../usage.ts'
import { prepareShape, SHAPES, USUAL, type Prepared, type Shape } from './shapes.ts'

/** What one set of rules costs: times in microseconds, except `reading`, in milliseconds. */
export interface PolicyCost {
  readonly name: string
  readonly rules: number
  /** To evaluate the rules for one question of a caller who was here before. */
  readonly p50: number
  readonly p99: number
  readonly cpu: number
  /** CPU in terms of the first row's in the same round. */
  readonly ratio: number
  /** The median for a caller who is new, as with credentials that are not remembered. */
  readonly fresh: number
  /** To read them at start; absent for the row that the other rows are compared with. */
  readonly reading: ReadingCost | undefined
}

const readingSchema = z.object({
  /** Of the text. */
  bytes: z.number(),
  /** Text to configuration: YAML and schema. */
  parse: z.number(),
  /** Of that, YAML: measured a second time, which is faster. */
  yaml: z.number(),
  /** Configuration to rules that can be evaluated. */
  compile: z.number(),
})

type ReadingCost = z.output<typeof readingSchema>

interface Row extends Prepared {
  readonly name: string
  readonly rules: number
}

/** Measures every shape in every size. */
export const measurePolicies = async (
  { rules: counts, rounds }: Size,
  progress: (text: string) => void,
): Promise<readonly PolicyCost[]> => {
  const rows = [
    rowOf(USUAL, 3),
    ...counts.flatMap((count) => SHAPES.map((shape) => rowOf(shape, count))),
  ]
  const measured = rows.map((): RoundCost[] => [])
  for (const row of rows) measureOnce(row) // so that what is hot is compiled
  for (let round = 0; round < rounds; round++) {
    for (const [index, row] of rows.entries()) {
      progress(`policy: round ${round + 1} of ${rounds}: ${row.name}`)
      measured[index]?.push(measureOnce(row))
    }
  }
  const reading = await readAll(counts, progress)
  return rows.map(({ name, rules }, index) => ({
    name,
    rules,
    ...summarise(measured[index] ?? [], measured[0] ?? []),
    reading: reading.get(`${name} ${rules}`),
  }))
}

const rowOf = (shape: Shape, rules: number): Row => ({
  name: shape.name,
  rules,
  ...prepareShape(shape, rules),
})

type RoundCost = Pick<PolicyCost, 'p50' | 'p99' | 'cpu' | 'fresh'>

const measureOnce = ({ policy, questions }: Row): RoundCost => {
  const known = timesOf(policy, questions, (question) => ({ ...question }))
  const fresh = timesOf(policy, questions, (question) => ({
    ...question,
    identity: { ...question.identity },
  }))
  return {
    p50: quantile(known, 0.5),
    p99: quantile(known, 0.99),
    cpu: cpuOfOne(policy, questions),
    fresh: quantile(fresh, 0.5),
  }
}

/** Sorted. Each question is a new one: of the same one, something may be remembered. */
const timesOf = (
  policy: Policy,
  questions: readonly Question[],
  renew: (question: Question) => Question,
): Float64Array => {
  const times = new Float64Array(questions.length)
  for (const [index, original] of questions.entries()) {
    const question = renew(original)
    const started = performance.now()
    const { outcome } = evaluate(policy, question)
    times[index] = (performance.now() - started) * 1_000
    if (outcome !== 'permit') throw new Error(`a rule that should permit came to "${outcome}"`)
  }
  return times.toSorted()
}

// Long enough for the clock of the CPU, which some machines move on every few milliseconds only.
const CPU_PASS_MS = 100

const cpuOfOne = (policy: Policy, questions: readonly Question[]): number => {
  const until = performance.now() + CPU_PASS_MS
  const before = threadCpu()
  let evaluated = 0
  do {
    for (const question of questions) evaluate(policy, { ...question })
    evaluated += questions.length
  } while (performance.now() < until)
  return (threadCpu() - before) / evaluated
}

const summarise = (
  rounds: readonly RoundCost[],
  floors: readonly RoundCost[],
): Omit<PolicyCost, 'name' | 'rules' | 'reading'> => ({
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  cpu: median(rounds.map(({ cpu }) => cpu)),
  fresh: median(rounds.map(({ fresh }) => fresh)),
  ratio: median(rounds.map(({ cpu }, round) => cpu / (floors[round]?.cpu ?? Number.NaN))),
})

const readAll = async (
  counts: readonly number[],
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, ReadingCost>> => {
  const costs = new Map<string, ReadingCost>()
  for (const count of counts) {
    for (const { name } of SHAPES) {
      progress(`policy: reading ${count} rules: ${name}`)
      costs.set(`${name} ${count}`, await readRules(name, count))
    }
  }
  return costs
}

const READER = join(import.meta.dirname, '../processes/read-rules.ts')

/** In a process of its own, as at start. */
const readRules = async (shape: string, count: number): Promise<ReadingCost> => {
  const { stdout } = await promisify(execFile)(process.execPath, [READER, shape, `${count}`])
  return readingSchema.parse(JSON.parse(stdout))
}
