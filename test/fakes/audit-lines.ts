// Decisions as an audit log has them, and checks whose decisions are logged.

import { check } from '../../src/check/check.ts'
import { describeDecision } from '../../src/check/record.ts'
import {
  readDecision,
  type RecordedCheck,
  type RecordedDecision,
} from '../../src/tools/replay/recorded-event.ts'
import type { Snapshot } from '../../src/check/snapshot.ts'
import type { CheckAttributes } from '../../src/request/attributes.ts'

/** The fields of a line. */
export type EventFields = Readonly<Record<string, unknown>>

/** Alice's GET of `/a`, permitted by "all", or whatever the test says otherwise. */
export const decisionLine = (fields: EventFields = {}): EventFields => ({
  log: 'audit',
  time: '2026-01-01T12:00:00.000Z',
  event: 'decision',
  id: 'd-1',
  decision: 'allow',
  reason: 'permitted',
  status: 200,
  route: 'app',
  method: 'GET',
  host: 'app.example.org',
  path: '/a',
  source: '203.0.113.7',
  user: 'alice',
  groups: ['dev', 'ops'],
  authenticator: 'staff',
  authentication: 'basic',
  credential: 'fingerprint',
  rule: 'all',
  forwarded: ['headers'],
  duration: 0,
  generation: 1,
  ...fields,
})

/** A decision without a rule. */
export const refusalLine = (reason: string, fields: EventFields = {}): EventFields =>
  decisionLine({ decision: 'deny', reason, rule: undefined, forwarded: undefined, ...fields })

/** What is read of a line that is a decision. */
export const decisionOf = (line: EventFields): RecordedDecision => {
  const reading = readDecision(JSON.parse(JSON.stringify(line)))
  if (reading.outcome !== 'decision') throw new TypeError(JSON.stringify(reading))
  return reading.decision
}

/** What is read of a line about a decision of the rules. */
export const askedIn = (line: EventFields = decisionLine()): RecordedCheck => {
  const { asked } = decisionOf(line)
  if (asked === undefined) throw new TypeError('no decision of the rules')
  return asked
}

/** Makes a check, and gives the line that is written of it. */
export const checkedLine = async (
  attributes: CheckAttributes,
  snapshot: Snapshot,
): Promise<EventFields> => {
  const { signal } = new AbortController()
  const decision = await check(attributes, snapshot, signal)
  const basics = { id: 'd-1', generation: 1, duration: 0 }
  const event = describeDecision(decision, snapshot, basics)
  return { time: new Date(snapshot.clock.now()).toISOString(), ...event }
}
