// Requests that the pages of the reference show: decided and answered by the code of authz, on a route of fakes.

import type { CheckAnswer } from '../../src/check/answer/answer.ts'
import { respond } from '../../src/check/answer/response.ts'
import { check } from '../../src/check/check.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { simulate, UNRECORDED_ID } from '../../src/tools/simulation.ts'
import { attributesOf, type RequestParts } from '../../test/fakes/envoy.ts'
import { identityOf } from '../../test/fakes/identity.ts'
import type { RouteParts } from '../../test/fakes/route.ts'
import { snapshotOf } from '../../test/fakes/snapshot.ts'

/** The caller of the pages. */
const ALICE: Identity = identityOf({
  user: 'alice',
  uid: '1001',
  groups: ['dev', 'ops'],
  extra: { team: ['blue'] },
})

const NOON = Date.UTC(2026, 10, 27, 12)

/** What authz answers to a request of Alice. */
export const answerTo = async (
  route: RouteParts,
  request: RequestParts = {},
): Promise<CheckAnswer> => {
  const state = simulate(snapshotOf([route]), { identity: ALICE, at: NOON })
  const decision = await check(attributesOf(request), state, new AbortController().signal)
  return respond(UNRECORDED_ID, decision, NOON)
}
