// The operators' tools, compared with the decisions of a running site: `explain` of every decision in its
// audit log, and of a request in the form that a user would paste.

import assert from 'node:assert/strict'
import { z } from 'zod'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { countersign } from '../../cli/run.ts'
import { valuesOf, type Answer } from '../../servers/client.ts'
import type { Site } from '../site.ts'

/** The event of the decision that an answer names. */
export const eventOf = async (site: Site, answer: Answer): Promise<DecisionEvent> => {
  const [id] = valuesOf(answer, 'x-countersign-decision')
  const event = (await site.events()).find((candidate) => candidate.id === id)
  assert.ok(event !== undefined, `no event for ${answer.status} ${answer.body}`)
  return event
}

const explanationSchema = z.object({
  target: z.object({ operation: z.object({ id: z.string() }).optional() }),
  answer: z.object({
    decision: z.string(),
    reason: z.string(),
    rule: z.string().optional(),
    status: z.number(),
    detail: z.string().optional(),
  }),
})

/** What `explain` came to, in the words of an audit event. */
export interface Explained extends Pick<DecisionEvent, 'status' | 'rule' | 'operation'> {
  /** Of the process. */
  readonly exit: number | null
  readonly decision: string
  readonly reason: string
}

/** Runs `countersign explain --json` with the configuration of a site. */
export const explain = async (site: Site, args: readonly string[]): Promise<Explained> => {
  const { config } = site.files
  const result = await countersign(['explain', '--json', '--config', config, ...args])
  assert.equal(result.stderr, '')
  const { target, answer } = explanationSchema.parse(JSON.parse(result.stdout))
  const { decision, reason, rule, status } = answer
  return { exit: result.status, decision, reason, status, rule, operation: target.operation?.id }
}

/** What `explain` has to say of a decision that was made. */
export const expectedOf = (event: DecisionEvent): Explained => {
  const { decision, reason, status, rule, operation } = event
  return { exit: decision === 'allow' ? 0 : 1, decision, reason, status, rule, operation }
}

/** Those that were refused before any rule was evaluated: there is nothing else to report. */
const BEFORE_RULES = /^(ambiguous|malformed|credential|token|authenticator)-/

// Every process takes its time to start, and the machine has other things to do.
const AT_ONCE = 2

/** Decisions about different things, one of each. */
const differentOf = (events: readonly DecisionEvent[]): readonly DecisionEvent[] => [
  ...new Map(
    events.map((event) => {
      const { route, method, host, path, source, user, kubernetes, reason, rule } = event
      const what = [route, method, host, path, source, user, kubernetes, reason, rule]
      return [JSON.stringify(what), event] as const
    }),
  ).values(),
]

/**
 * Asserts that `explain --decision` reports the outcome of each of these decisions, or, of those that were
 * made before the rules, that there is nothing else to report.
 *
 * @param isUntold of which decisions the log does not tell what the rules asked: then it must not
 *   claim to know
 */
export const assertExplained = async (
  site: Site,
  events: readonly DecisionEvent[],
  isUndetermined: (event: DecisionEvent) => boolean = () => false,
): Promise<void> => {
  const waiting = [...differentOf(events)]
  const work = async (): Promise<void> => {
    for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
      await assertOneExplained(site, event, isUndetermined(event))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

const assertOneExplained = async (
  site: Site,
  event: DecisionEvent,
  isUndetermined: boolean,
): Promise<void> => {
  const { config, audit } = site.files
  const args = ['--decision', event.id, '--audit', audit]
  const what = `${event.method} ${event.host}${event.path}: ${event.reason} ${event.rule}`
  const early = BEFORE_RULES.test(event.reason)
  if (!early && !isUndetermined) {
    assert.deepEqual(await explain(site, args), expectedOf(event), what)
    return
  }
  const { status, stderr } = await countersign(['explain', '--config', config, ...args])
  assert.equal(status, 2, what)
  if (!early) return
  assert.match(stderr, new RegExp(`refused before the rules \\(${event.reason}\\)`), what)
}

const replayedSchema = z.object({
  kind: z.string(),
  id: z.string().optional(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
})

/** What `replay` has to say of single decisions. */
export interface Replayed {
  /** Of the process. */
  readonly exit: number | null
  readonly changes: readonly {
    readonly id: string | undefined
    readonly before: unknown
    readonly after: unknown
  }[]
  /** The ids of the decisions that are undetermined. */
  readonly undetermined: readonly (string | undefined)[]
}

/** Runs `replay --json` on a log, with a configuration. */
export const replay = async (log: string, config: string): Promise<Replayed> => {
  const result = await countersign(['replay', log, '--config', config, '--json'])
  assert.equal(result.stderr, '')
  const lines = result.stdout.trimEnd().split('\n')
  const replayed = lines.map((line) => replayedSchema.parse(JSON.parse(line)))
  return {
    exit: result.status,
    changes: replayed.flatMap(({ kind, id, before, after }) =>
      kind === 'change' ? [{ id, before, after }] : [],
    ),
    undetermined: replayed.flatMap(({ kind, id }) => (kind === 'undetermined' ? [id] : [])),
  }
}

/** Asserts that the rules in force would decide all of a log again as they did, where it tells. */
export const assertReplayed = async (
  site: Site,
  isUndetermined: (event: DecisionEvent) => boolean,
): Promise<void> => {
  const events = await site.events()
  assert.deepEqual(await replay(site.files.audit, site.files.config), {
    exit: 0,
    changes: [],
    undetermined: events.flatMap((event) => (isUndetermined(event) ? [event.id] : [])),
  })
}
