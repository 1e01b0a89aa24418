// The challenges of a 401: what one authenticator says of a credential changes nothing about the
// other challenges. And that of a token without the scopes that it needs.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { challengesAfter, scopeChallenges } from '../../../src/check/answer/challenges.ts'
import type { CheckContext } from '../../../src/check/context.ts'
import { deny } from '../../../src/check/decision.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { routeOf } from '../../fakes/route.ts'

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
    challengesAfter(deny({ route }, 'token-expired', { challenge: { text, of: OURS } }))

  it('are those of the route when there is nothing to say', () => {
    assert.deepEqual(challengesAfter(deny({ route }, 'credential-missing')), [
      'Basic realm="x"',
      ...OURS,
      'Bearer realm="b"',
    ])
  })

  const CASES = [
    {
      name: 'take the place of the one of that scheme, and of that authenticator',
      text: 'Bearer realm="a", error="invalid_token"',
      want: [0, 'text', 2, 3],
    },
    { name: 'do so for another scheme of it', text: 'DPoP error="x"', want: [0, 1, 'text', 3] },
    { name: 'do so in any case of the scheme', text: 'dpop error="x"', want: [0, 1, 'text', 3] },
    {
      name: 'come last when the route has no challenge of that scheme',
      text: 'Negotiate oYG',
      want: [0, 1, 2, 3, 'text'],
    },
    {
      name: 'leave the scheme of another authenticator alone',
      text: 'Basic realm="y"',
      want: [0, 1, 2, 3, 'text'],
    },
  ] as const
  for (const { name, text, want } of CASES) {
    it(name, () => {
      const invitations = challengesAfter(deny({ route }, 'credential-missing'))
      const expected = want.map((entry) => (entry === 'text' ? text : invitations[entry]))
      assert.deepEqual(after(text), expected)
    })
  }

  describe('on a route with a login', () => {
    const withLogin = {
      ...route,
      login: { invitationFor: () => undefined, pageFor: () => undefined },
    }
    const of = (...headers: readonly (readonly [string, string])[]) =>
      challengesAfter(
        deny({ route: withLogin, request: requestOf({ headers }) }, 'credential-missing'),
      )
    const WITHOUT_BASIC = [...OURS, 'Bearer realm="b"']

    for (const header of [
      ['sec-fetch-mode', 'cors'],
      ['x-requested-with', 'XMLHttpRequest'],
      ['origin', 'https://app.example.org'],
    ] as const) {
      it(`leave out what browsers ask for in a dialog, of a request with ${header[0]}`, () => {
        assert.deepEqual(of(header), WITHOUT_BASIC)
      })
    }

    it('are all there for programs', () => {
      assert.deepEqual(of(), ['Basic realm="x"', ...WITHOUT_BASIC])
    })
  })

  it('are all there for pages of a route without login', () => {
    const request = requestOf({ headers: [['sec-fetch-mode', 'cors']] })
    assert.ok(
      challengesAfter(deny({ route, request }, 'credential-missing')).includes('Basic realm="x"'),
    )
  })

  it('are none where no route is known, but what there is to say', () => {
    const challenge = { text: 'x', of: [] }
    assert.deepEqual(challengesAfter(deny({}, 'credential-missing')), [])
    assert.deepEqual(challengesAfter(deny({}, 'token-expired', { challenge })), ['x'])
  })
})

describe('the challenge of a token without the scopes that it needs', () => {
  const inviting = (...invitations: readonly string[]): CheckContext => ({
    route: routeOf({
      authenticators: [{ ...fakeAuthenticator('any', NONE), challenges: invitations }],
    }),
  })
  const BEARER = ['Basic realm="x"', 'Bearer realm="a"']
  const CASES: readonly {
    name: string
    invitations: readonly string[]
    scopes?: readonly string[]
    want: readonly string[]
  }[] = [
    {
      name: 'names them',
      invitations: BEARER,
      scopes: ['read:a', 'write'],
      want: ['Bearer error="insufficient_scope", scope="read:a write"'],
    },
    {
      name: 'is one, however many take tokens',
      invitations: [...BEARER, 'Bearer realm="b"'],
      scopes: ['a'],
      want: ['Bearer error="insufficient_scope", scope="a"'],
    },
    {
      name: 'is of the scheme that the route invites',
      invitations: ['DPoP realm="a", algs="ES256"'],
      scopes: ['a'],
      want: ['DPoP error="insufficient_scope", scope="a"'],
    },
    { name: 'is none without tokens', invitations: ['Basic realm="x"'], scopes: ['a'], want: [] },
    {
      name: 'names none that is not known',
      invitations: BEARER,
      want: ['Bearer error="insufficient_scope"'],
    },
    {
      name: 'names none rather than what would end the quotes',
      invitations: BEARER,
      scopes: ['a', 'b", realm="c'],
      want: ['Bearer error="insufficient_scope"'],
    },
    {
      name: 'names none rather than a part of what is needed',
      invitations: BEARER,
      scopes: ['a', 'ü', 'b\\', 'c d', ''],
      want: ['Bearer error="insufficient_scope"'],
    },
  ]
  for (const { name, invitations, scopes, want } of CASES) {
    it(name, () => {
      const details = scopes === undefined ? {} : { missingScopes: scopes }
      const got = scopeChallenges(deny(inviting(...invitations), 'scope-missing', details))
      assert.deepEqual(got, want)
    })
  }

  it('is none where no route is known', () => {
    assert.deepEqual(scopeChallenges(deny({}, 'scope-missing', { missingScopes: ['a'] })), [])
  })
})
