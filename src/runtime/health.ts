// The health of a process, in the format of the Kubernetes API server's `/livez` and `/readyz`.

import type { Page, PageRequest } from './http/server.ts'

/**
 * The state of one thing.
 *
 * - `ok`: all is well.
 * - `warning`: an operator should look, but the process still serves.
 * - `failed`: the process should not get requests.
 */
export type Condition =
  | { readonly state: 'ok' }
  | { readonly state: 'warning' | 'failed'; readonly reason: string }

/** Something that readiness depends on. */
export interface HealthCheck {
  /** One word, for the list. */
  readonly name: string
  /** The state now. Must not throw. */
  readonly condition: () => Condition
}

const TYPE = 'text/plain; charset=utf-8'
// A probe that keeps its connection takes the place of another: the kubelet opens one for each.
const CLOSE = { connection: 'close' } as const
const MARKS = { ok: '[+]', warning: '[!]', failed: '[-]' } as const

/**
 * The health page: 200 unless something failed, then 503. `?verbose` lists every
 * check; a failure always does.
 *
 * @param name that of the page, for its last line
 */
export const healthPage =
  (name: string, checks: readonly HealthCheck[]) =>
  ({ query }: PageRequest): Page => {
    const conditions = checks.map((check) => ({ name: check.name, ...check.condition() }))
    const failed = conditions.some(({ state }) => state === 'failed')
    if (!failed && !query.has('verbose')) {
      return { status: 200, type: TYPE, body: 'ok', headers: CLOSE }
    }
    const lines = conditions.map((condition) => {
      const detail = condition.state === 'ok' ? 'ok' : `${condition.state}: ${condition.reason}`
      return `${MARKS[condition.state]}${condition.name} ${detail}\n`
    })
    const verdict = failed ? 'failed' : 'passed'
    return {
      status: failed ? 503 : 200,
      type: TYPE,
      headers: CLOSE,
      body: `${lines.join('')}${name} check ${verdict}\n`,
    }
  }

/** Whether the process takes requests: not before its listener is open, and not once it is ending. */
export class Serving implements HealthCheck {
  readonly name = 'serving'
  #condition: Condition = { state: 'failed', reason: 'starting' }

  readonly condition = (): Condition => this.#condition

  /** From now on it does. */
  started(): void {
    this.#condition = { state: 'ok' }
  }

  /** The process shuts down: not ready from now on. */
  ending(): void {
    this.#condition = { state: 'failed', reason: 'shutting down' }
  }
}
