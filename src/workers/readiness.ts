// The health checks of all workers as one list. A missing worker does not make the whole unready, as long as
// another one serves.

import type { Condition, HealthCheck } from '../runtime/health.ts'
import type { NamedCondition } from './messages-schema.ts'

/** The checks of one worker. */
export interface WorkerConditions {
  readonly index: number
  /** Absent where it does not answer. */
  readonly conditions?: readonly NamedCondition[]
  /** Why it does not. */
  readonly fault?: string | undefined
}

const SEVERITY = { ok: 0, warning: 1, failed: 2 } as const

/** The list: each check with the worst condition of all workers; `failed` only where it fails in all of them. */
export const jointChecks = (workers: readonly WorkerConditions[]): readonly HealthCheck[] => {
  const answered = workers.filter(({ conditions }) => conditions !== undefined)
  const names = new Set(
    answered.flatMap(({ conditions = [] }) => conditions.map(({ name }) => name)),
  )
  const checks = [...names].map((name): HealthCheck => {
    const all = answered.flatMap(({ index, conditions = [] }) =>
      conditions.filter((one) => one.name === name).map((condition) => ({ index, condition })),
    )
    return { name, condition: () => worstOf(all, workers.length) }
  })
  return [{ name: 'workers', condition: () => presence(workers, answered.length) }, ...checks]
}

const presence = (workers: readonly WorkerConditions[], present: number): Condition => {
  if (present === workers.length) return { state: 'ok' }
  const reason = workers
    .filter(({ conditions }) => conditions === undefined)
    .map(
      ({ index, fault }) =>
        `worker ${index} ${fault === undefined ? 'starts' : `does not serve: ${fault}`}`,
    )
    .join('; ')
  return { state: present === 0 ? 'failed' : 'warning', reason }
}

interface OfWorker {
  readonly index: number
  readonly condition: NamedCondition
}

const worstOf = (all: readonly OfWorker[], count: number): Condition => {
  const [worst] = all.toSorted(
    (one, other) => SEVERITY[other.condition.state] - SEVERITY[one.condition.state],
  )
  if (worst === undefined || worst.condition.state === 'ok') return { state: 'ok' }
  const { index, condition } = worst
  const isEverywhere = all.every((one) => one.condition.state === condition.state)
  const state = condition.state === 'failed' && isEverywhere ? 'failed' : 'warning'
  const where = isEverywhere && all.length === count ? '' : `worker ${index}: `
  return { state, reason: `${where}${condition.reason}` }
}
