// Recorded decisions, explained by rules that are in force now.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Explanation } from '../../../src/tools/explain/explain.ts'
import { explainRecorded } from '../../../src/tools/explain/recorded.ts'
import type { RecordedCheck } from '../../../src/tools/replay/recorded-event.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { fakeAuthenticator, PROVEN } from '../../fakes/authenticator.ts'
import { identityOf } from '../../fakes/identity.ts'
import type { RouteParts } from '../../fakes/route.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'

const ASKED: RecordedCheck = {
  at: Date.UTC(2026, 0, 1),
  duration: 1,
  identity: identityOf({ groups: ['dev'] }),
  link: 'staff',
  method: 'GET',
  host: 'app.example.org',
  path: '/x',
  queryOmitted: false,
  cut: false,
  source: '203.0.113.7',
  route: 'app',
  kubernetes: undefined,
  shadows: [],
  outcome: { decision: 'deny', reason: 'no-rule' },
}

const explained = async (
  route: RouteParts,
  asked: Partial<RecordedCheck> = {},
): Promise<Explanation> =>
  await explainRecorded(
    { ...ASKED, ...asked },
    snapshotOf([
      { name: 'other', match: { hosts: ['other.example'] } },
      { authenticators: [fakeAuthenticator('staff', PROVEN)], ...route },
    ]),
    new AbortController().signal,
  )

describe('a recorded decision explained', () => {
  it('goes by the route of then, and by the clock of then', async () => {
    const times = [{ timeZone: 'UTC', until: '2026-01-02T00:00:00Z' }]
    const { route, answer, request } = await explained({ rules: [{ allow: 'a', times }] })
    assert.deepEqual([route.by, route.name, answer.reason], ['envoy', 'app', 'permitted'])
    assert.match(request.notes.join(), /From an audit log/)
  })

  it('says what was decided then, and nothing more where the log tells enough', async () => {
    const { recorded } = await explained({ rules: [{ allow: 'a' }] })
    assert.deepEqual(recorded, { before: { decision: 'deny', reason: 'no-rule' } })
  })

  it('says what the log does not tell, where the rules look at it', async () => {
    const CASES = [
      { rule: { allow: 'a', when: 'size(request.headers) >= 0' }, want: 'condition' },
      { rule: { allow: 'a', subjectAccessReview: true }, want: 'access-review' },
    ]
    for (const { rule, want } of CASES) {
      const { recorded } = await explained({ rules: [rule, { allow: 'b' }] })
      assert.equal(recorded?.undetermined, want)
    }
  })

  it('uses host and path where the route no longer exists', async () => {
    const { route } = await explained({ name: 'app' }, { route: 'gone' })
    assert.deepEqual([route.by, route.name], ['match', 'app'])
  })

  it('makes nothing up: a rule that reads a header fails', async () => {
    const when = 'size(request.headers) >= 0'
    const { answer, authorize } = await explained({ rules: [{ allow: 'a', when }] })
    assert.deepEqual([answer.reason, authorize.rules[0]?.outcome], ['rule-failed', 'failed'])
  })

  it('makes nothing up: a rule that asks an API server fails', async () => {
    const rules = [{ allow: 'a', subjectAccessReview: true }, { allow: 'b' }]
    const { answer } = await explained({ rules })
    assert.deepEqual([answer.reason, answer.rule], ['rule-failed', 'a'])
  })

  const KUBERNETES: readonly { name: string; asked: Partial<RecordedCheck>; want: string }[] = [
    {
      name: 'a list',
      asked: {
        path: '/api/v1/namespaces/dev/pods?limit=[withheld]',
        kubernetes: { verb: 'list', apiVersion: 'v1', namespace: 'dev', resource: 'pods' },
      },
      want: 'list pods  ',
    },
    {
      name: 'a watch of one object',
      asked: {
        path: '/api/v1/namespaces/dev/pods?watch=[withheld]&fieldSelector=[withheld]',
        kubernetes: {
          verb: 'watch',
          apiVersion: 'v1',
          namespace: 'dev',
          resource: 'pods',
          name: 'x',
        },
      },
      want: 'watch pods x ',
    },
    {
      name: 'impersonation',
      asked: {
        path: '/api/v1/pods',
        kubernetes: {
          verb: 'list',
          apiVersion: 'v1',
          resource: 'pods',
          impersonation: { user: 'bob', groups: ['g'] },
        },
      },
      want: 'list pods  bob',
    },
  ]
  for (const { name, asked, want } of KUBERNETES) {
    it(`is read as it was: ${name}`, async () => {
      const { target } = await explained({ kind: 'kubernetes' }, asked)
      const { verb, resource, name: object, impersonation } = target.kubernetes ?? {}
      assert.equal([verb, resource, object, impersonation?.user].join(' '), want)
    })
  }

  it('is refused where the log does not tell enough', async () => {
    const impersonation = { user: 'bob', extra: ['scopes'] }
    const kubernetes = { verb: 'list', apiVersion: 'v1', resource: 'pods', impersonation }
    const asked = { path: '/api/v1/pods', kubernetes }
    await assert.rejects(
      explained({ kind: 'kubernetes' }, asked),
      (cause) => cause instanceof CountersignError && /impersonation/.test(cause.message),
    )
    const odd = { path: '/api/v1/pods', kubernetes: { ...kubernetes, resource: 'secrets' } }
    const { impersonation: _, ...others } = odd.kubernetes
    await assert.rejects(
      explained({ kind: 'kubernetes' }, { ...odd, kubernetes: others }),
      (cause) => cause instanceof CountersignError && /not tell enough/.test(cause.message),
    )
  })
})
