// The challenges of a 401: what one authenticator says of a credential changes nothing about the
// others.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { challengesAfter } from '../../src/check/challenges.ts'
import type { Trail } from '../../src/check/decision.ts'
import { fakeAuthenticator } from '../fakes/authenticator.ts'
import { routeOf } from '../fakes/route.ts'

const OURS = ['Bearer realm="a"', 'DPoP realm="a", algs="ES256"']
const NONE = { outcome: 'not-applicable' } as const

const route = routeOf({
  authenticators: [
    fakeAuthenticator('before', NONE, 'Basic realm="x"'),
    { ...fakeAuthenticator('ours', NONE), challenges: OURS },
    fakeAuthenticator('after', NONE, 'Bearer realm="b"'),
  ],
})

describe('the challenges after a rejection', () => {
  const after = (text: string): readonly string[] =>
    challengesAfter({ route, challenge: { text, of: OURS } })

  it('are those of the route when there is nothing to say', () => {
    assert.deepEqual(challengesAfter({ route }), ['Basic realm="x"', ...OURS, 'Bearer realm="b"'])
  })

  const CASES = [
    {
      name: 'take the place of the one of that scheme, and of that authenticator',
      text: 'Bearer realm="a", error="invalid_token"',
      want: [0, 'text', 2, 3],
    },
    { name: 'do so for another scheme of it', text: 'DPoP error="x"', want: [0, 1, 'text', 3] },
    { name: 'do so in any case of the scheme', text: 'dpop error="x"', want: [0, 1, 'text', 3] },
    { name: 'come last when nobody invites it', text: 'Negotiate oYG', want: [0, 1, 2, 3, 'text'] },
    { name: 'leave a scheme of others alone', text: 'Basic realm="y"', want: [0, 1, 2, 3, 'text'] },
  ] as const
  for (const { name, text, want } of CASES) {
    it(name, () => {
      const invitations = challengesAfter({ route })
      const expected = want.map((entry) => (entry === 'text' ? text : invitations[entry]))
      assert.deepEqual(after(text), expected)
    })
  }

  it('are none where no route is known, but what there is to say', () => {
    const trail: Trail = { challenge: { text: 'x', of: [] } }
    assert.deepEqual(challengesAfter({}), [])
    assert.deepEqual(challengesAfter(trail), ['x'])
  })
})
