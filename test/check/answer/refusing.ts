// Refusals as tests make them, and what their callers read.

import assert from 'node:assert/strict'
import type { DenyAnswer } from '../../../src/check/answer/answer.ts'
import { respond } from '../../../src/check/answer/response.ts'
import type { CheckContext, RoutedContext } from '../../../src/check/context.ts'
import { deny, type DenialDetails } from '../../../src/check/decision.ts'
import type { Refusal } from '../../../src/check/answer/public-refusal.ts'
import { readTarget } from '../../../src/request/target.ts'
import { attributesOf, requestOf, type RequestParts } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import { routeOf, type RouteParts } from '../../fakes/route.ts'
import { policyOf, type RuleParts } from '../../fakes/rules.ts'

/** The decision id of every refusal here. */
export const ID = '6f1d'

/** A refusal as a test writes it down. */
export type RefusalParts = DenialDetails & { readonly reason: Refusal }

/** The answer for a refusal. */
export const refuse = (
  { reason, ...details }: RefusalParts,
  context: CheckContext = {},
): DenyAnswer => {
  const answer = respond(ID, deny(context, reason, details), Date.UTC(2026, 0, 1))
  assert.ok(!answer.allow)
  return answer
}

/** All values of a header of the answer. */
export const valuesOf = ({ headers }: DenyAnswer, name: string): readonly string[] =>
  headers.filter(([candidate]) => candidate === name).map(([, value]) => value)

/** The same of several, by name; of headers that are not there nothing. */
export const headersOf = (answer: DenyAnswer): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(answer.headers.map(([name]) => [name, valuesOf(answer, name)]))

/** What is known of a request when its rules are evaluated. */
export const contextOf = (
  request: RequestParts = {},
  route: RouteParts = {},
  user = 'alice',
): RoutedContext & Pick<CheckContext, 'identity'> => {
  const built = routeOf(route)
  const read = requestOf(request)
  const reading = readTarget(built, read)
  assert.equal(reading.outcome, 'read')
  const { target } = reading
  const attributes = attributesOf(request)
  return { attributes, request: read, route: built, target, identity: identityOf({ user }) }
}

/** The answer of a rule that refuses. */
export const refuseBy = (rule: RuleParts, context: CheckContext = contextOf()): DenyAnswer => {
  const [compiled] = policyOf([rule]).rules
  assert.ok(compiled !== undefined)
  return refuse({ reason: 'rule-denied', rule: compiled.name, deniedBy: compiled }, context)
}
