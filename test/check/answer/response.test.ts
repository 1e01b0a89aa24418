// What Envoy receives for an allow. Refusals are in refusal.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DECISION_HEADER } from '../../../src/check/answer/answer.ts'
import { respond } from '../../../src/check/answer/response.ts'
import type { Allowance } from '../../../src/check/decision.ts'
import type { Permit } from '../../../src/authorize/evaluate.ts'
import type { Credentials } from '../../../src/transform/apply.ts'
import { attributesOf } from '../../fakes/envoy.ts'
import { routeOf, type RouteParts } from '../../fakes/route.ts'
import { permitFor } from '../../fakes/permit.ts'

const ID = '6f1d'
const NOW = Date.UTC(2026, 0, 1)

const allowing = (permit: Permit, credentials: Credentials, route: RouteParts = {}): Allowance => {
  const { identity, request, target } = permit
  const context = {
    attributes: attributesOf({}),
    request,
    route: routeOf(route),
    target,
    authenticator: identity.authenticator,
    identity,
    permit,
    shadows: [],
  }
  return { outcome: 'allow', reason: 'permitted', context, permit, credentials }
}

describe('the answer to an allowed check', () => {
  it('has the headers of the transform, and the decision id for the caller', () => {
    const credentials = {
      setHeaders: [['x-remote-user', 'alice']],
      removeHeaders: ['authorization'],
      repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }],
      kinds: ['headers'],
    } as const
    const permit = permitFor()
    assert.deepEqual(respond(ID, allowing(permit, credentials), NOW), {
      allow: true,
      setHeaders: [['x-remote-user', 'alice']],
      removeHeaders: ['authorization'],
      repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }],
      responseHeaders: [[DECISION_HEADER, ID]],
    })
  })

  it('has the certificate handle, and not its digest', () => {
    const credentials = {
      setHeaders: [],
      removeHeaders: [],
      repeatedHeaders: [],
      secret: { name: 'a-handle', digest: 'its-digest' },
      kinds: ['certificate'],
    } as const
    const answer = respond(ID, allowing(permitFor(), credentials), NOW)
    assert.ok(answer.allow)
    assert.equal(answer.upstreamSecret, 'a-handle')
    assert.doesNotMatch(JSON.stringify(answer), /its-digest/)
  })

  const answerOn = (sendsAuditId: boolean, removeHeaders: readonly string[] = []) => {
    const credentials = { setHeaders: [], removeHeaders, repeatedHeaders: [], kinds: [] }
    const permit = permitFor({ expires: NOW + 1_000 })
    const answer = respond(ID, allowing(permit, credentials, { sendsAuditId }), NOW)
    assert.ok(answer.allow)
    return answer
  }

  it('gives the upstream the decision id as Audit-ID where the route is configured so', () => {
    const names = ({ setHeaders }: ReturnType<typeof answerOn>) => setHeaders.map(([name]) => name)
    assert.deepEqual(answerOn(true).setHeaders[0], ['audit-id', ID])
    assert.deepEqual(names(answerOn(true)), ['audit-id', 'x-envoy-upstream-stream-duration-ms'])
    assert.deepEqual(names(answerOn(false)), ['x-envoy-upstream-stream-duration-ms'])
  })

  it('replaces a client’s Audit-ID, which would otherwise be removed after it is set', () => {
    const forged = ['authorization', 'Audit-ID', 'audit_id']
    assert.deepEqual(answerOn(true, forged).removeHeaders, ['authorization', 'audit_id'])
    assert.deepEqual(answerOn(false, forged).removeHeaders, forged)
  })

  const ENDS: readonly {
    name: string
    expires: number | undefined
    requestLimit?: number
    want: string | undefined
  }[] = [
    { name: 'has no end', expires: undefined, want: undefined },
    {
      name: 'has no end, while the route has a limit',
      expires: undefined,
      requestLimit: 900_000,
      want: '900000',
    },
    {
      name: 'ends after the limit of the route',
      expires: NOW + 60_000,
      requestLimit: 2_000,
      want: '2000',
    },
    {
      name: 'ends before the limit of the route',
      expires: NOW + 60_000,
      requestLimit: 61_000,
      want: '60000',
    },
    { name: 'ends in a minute', expires: NOW + 60_000.7, want: '60000' },
    { name: 'ended within the clock skew', expires: NOW - 5_000, want: '1000' },
    { name: 'ends in 45 days', expires: NOW + 45 * 86_400_000, want: undefined },
  ]
  for (const { name, want, ...ends } of ENDS) {
    it(`limits the stream by a credential that ${name}`, () => {
      const credentials = { setHeaders: [], removeHeaders: [], repeatedHeaders: [], kinds: [] }
      const permit = permitFor(ends)
      const answer = respond(ID, allowing(permit, credentials), NOW)
      assert.ok(answer.allow)
      assert.deepEqual(
        answer.setHeaders,
        want === undefined ? [] : [['x-envoy-upstream-stream-duration-ms', want]],
      )
    })
  }
})
