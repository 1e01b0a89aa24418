// Headers that a configuration names itself: taken from callers on every route, and never one that is
// needed for something else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forwardSchema } from '../../../src/transform/schema.ts'
import { transform } from '../../../src/transform/apply.ts'
import { complaintAboutOwnHeader, ownHeadersOf } from '../../../src/transform/headers/own.ts'
import { placesOf } from '../../../src/transform/strip.ts'
import { outgoing } from '../../fakes/outgoing.ts'
import { permitFor } from '../../fakes/permit.ts'

const route = (forward: unknown) => ({ forward: forwardSchema.parse(forward) })

describe('the headers of a configuration', () => {
  it('are those of all routes, in lower case and once each', () => {
    const routes = [
      route({ set: { 'X-Email': 'identity.user', 'x-team': 'identity.groups' } }),
      route({ set: { 'x-email': 'identity.user' }, assertion: { audience: 'a' } }),
      route({ assertion: { audience: 'a', header: 'X-Statement' } }),
      route({}),
    ]
    assert.deepEqual(ownHeadersOf(routes), [
      'x-email',
      'x-team',
      'x-countersign-jwt-assertion',
      'x-statement',
    ])
  })

  it('are taken from callers, in any spelling, on a route that sets none of them', async () => {
    const headers = [
      ['x-email', 'root@example.org'],
      ['X_Email', 'root@example.org'],
      ['x-emails', 'kept'],
    ] as const
    const places = placesOf([], ['x-email'])
    const permit = permitFor({}, { headers })
    const result = await transform(permit, outgoing([], { places }), new AbortController().signal)
    assert.equal(result.outcome, 'transformed')
    assert.deepEqual(result.credentials.removeHeaders, ['x-email', 'X_Email'])
  })
})

describe('the name of a header to be set', () => {
  const GOOD = [
    'x-email',
    'x-forwarded-user',
    'x-forwarded-id-token',
    'x-remote-team',
    'x-webauth-role',
  ]
  for (const name of GOOD) {
    it(`may be ${name}`, () => assert.equal(complaintAboutOwnHeader(name), undefined))
  }

  const BAD = [
    { name: 'authorization', want: /set by "bearer"/ },
    { name: 'audit-id', want: /set by "auditId"/ },
    { name: 'impersonate-user', want: /not set by hand/ },
    { name: 'impersonate.user', want: /"impersonate\.user" is not set by hand/ },
    { name: 'audit!id', want: /set by "auditId"/ },
    { name: 'content.length', want: /needed for something else/ },
    { name: 'x-countersign-decision', want: /not set by hand/ },
    { name: 'host', want: /needed for something else/ },
    { name: 'connection', want: /needed for something else/ },
    { name: 'content-length', want: /needed for something else/ },
    { name: 'transfer-encoding', want: /needed for something else/ },
    { name: 'x-envoy-upstream-rq-timeout-ms', want: /needed for something else/ },
    { name: 'x-forwarded-for', want: /needed for something else/ },
    { name: 'cookie', want: /needed for something else/ },
  ]
  for (const { name, want } of BAD) {
    it(`may not be ${name}`, () => assert.match(complaintAboutOwnHeader(name) ?? '', want))
  }

  for (const name of ['x_email', 'x email', 'x-email:', '', ':path', 'x-größe', 'a\r\nb']) {
    it(`may not be ${JSON.stringify(name)}, whatever it is for`, () => {
      assert.ok(!forwardSchema.safeParse({ set: { [name]: 'identity.user' } }).success)
    })
  }

  it('occurs once, in whatever spelling', () => {
    const result = forwardSchema.safeParse({ set: { 'X-A': 'identity.user', 'x-a': '"b"' } })
    assert.match(JSON.stringify(result.error?.issues), /names an earlier header too/)
  })
})
