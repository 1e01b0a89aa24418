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

  it('are the route’s challenges where the authenticator has none of its own', () => {
    assert.deepEqual(challengesAfter(deny({ route }, 'credential-missing')), [
      'Basic realm="x"',
      ...OURS,
      'Bearer realm="b"',
    ])
  })

  const CASES = [
    {
      name: 'replace the challenge of the same scheme and authenticator',
      text: 'Bearer realm="a", error="invalid_token"',
      want: [0, 'text', 2, 3],
    },
    {
      name: 'replace another scheme’s challenge of the same authenticator',
      text: 'DPoP error="x"',
      want: [0, 1, 'text', 3],
    },
    {
      name: 'compare schemes without regard to case',
      text: 'dpop error="x"',
      want: [0, 1, 'text', 3],
    },
    {
      name: 'come last where the route has no challenge of that scheme',
      text: 'Negotiate oYG',
      want: [0, 1, 2, 3, 'text'],
    },
    {
      name: 'keep the challenge of the same scheme of another authenticator',
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
      it(`omit Basic, for which browsers open a dialog, where a request has ${header[0]}`, () => {
        assert.deepEqual(of(header), WITHOUT_BASIC)
      })
    }

    it('include Basic for programs', () => {
      assert.deepEqual(of(), ['Basic realm="x"', ...WITHOUT_BASIC])
    })
  })

  it('include Basic for scripts on a route without login', () => {
    const request = requestOf({ headers: [['sec-fetch-mode', 'cors']] })
    assert.ok(
      challengesAfter(deny({ route, request }, 'credential-missing')).includes('Basic realm="x"'),
    )
  })

  it('are none without a route, except the authenticator’s own', () => {
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
      name: 'names the missing scopes',
      invitations: BEARER,
      scopes: ['read:a', 'write'],
      want: ['Bearer error="insufficient_scope", scope="read:a write"'],
    },
    {
      name: 'is one, even if several authenticators take bearer tokens',
      invitations: [...BEARER, 'Bearer realm="b"'],
      scopes: ['a'],
      want: ['Bearer error="insufficient_scope", scope="a"'],
    },
    {
      name: 'has the scheme of the route’s challenge',
      invitations: ['DPoP realm="a", algs="ES256"'],
      scopes: ['a'],
      want: ['DPoP error="insufficient_scope", scope="a"'],
    },
    {
      name: 'is absent on a route without tokens',
      invitations: ['Basic realm="x"'],
      scopes: ['a'],
      want: [],
    },
    {
      name: 'names no scopes where they are unknown',
      invitations: BEARER,
      want: ['Bearer error="insufficient_scope"'],
    },
    {
      name: 'names no scopes where one would end the quoted string',
      invitations: BEARER,
      scopes: ['a', 'b", realm="c'],
      want: ['Bearer error="insufficient_scope"'],
    },
    {
      name: 'names no scopes where one cannot be written',
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

  it('is absent without a route', () => {
    assert.deepEqual(scopeChallenges(deny({}, 'scope-missing', { missingScopes: ['a'] })), [])
  })
})
