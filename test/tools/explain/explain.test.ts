// Checks, explained phase by phase.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain, type Explanation } from '../../../src/tools/explain/explain.ts'
import type { Simulation } from '../../../src/tools/simulation.ts'
import { serviceToken } from '../../../src/transform/token/service-token.ts'
import { credentialOf, fakeAuthenticator } from '../../fakes/authenticator.ts'
import { attributesOf, basic, type RequestParts } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import type { RouteParts } from '../../fakes/route.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'

const FOREVER = new AbortController().signal
const ALICE: Simulation = { identity: identityOf({ groups: ['dev'] }) }
const PROVE: Simulation = { identity: undefined }

const explained = async (
  routes: readonly RouteParts[],
  request: RequestParts = {},
  given: Simulation = ALICE,
): Promise<Explanation> => await explain(attributesOf(request), snapshotOf(routes), given, FOREVER)

const outcomes = (explanation: Explanation): string => {
  const { request, route, target, authenticate, identity, authorize, transform } = explanation
  const phases = [request, route, target, authenticate, identity, authorize, transform]
  return [...phases.map(({ outcome }) => outcome[0]), explanation.answer.reason].join(' ')
}

const AUTHORIZATION = { kind: 'header', name: 'authorization' } as const

describe('a check explained', () => {
  // The phases by their first letters: hit, miss, not reached.
  const CASES: readonly {
    name: string
    route?: RouteParts
    request?: RequestParts
    given?: Simulation
    want: string
  }[] = [
    { name: 'is allowed by a rule', want: 'h h h h h h h permitted' },
    {
      name: 'ends with a request of two readings',
      request: { path: '/a/../b' },
      want: 'm n n n n n n ambiguous-path',
    },
    {
      name: 'ends without a route',
      route: { match: { paths: ['/x'] } },
      want: 'h m n n n n n no-route',
    },
    {
      name: 'ends with impersonation',
      request: { headers: [['impersonate-user', 'bob']] },
      want: 'h h m n n n n impersonation',
    },
    { name: 'ends without a credential', given: PROVE, want: 'h h h m n n n credential-missing' },
    {
      name: 'ends with a reserved name',
      route: {
        authenticators: [
          fakeAuthenticator('staff', {
            outcome: 'authenticated',
            credential: credentialOf({ user: 'system:admin' }),
          }),
        ],
      },
      given: PROVE,
      want: 'h h h h m n n identity-reserved',
    },
    {
      name: 'ends with a rule',
      route: { rules: [{ deny: 'no' }] },
      want: 'h h h h h m n rule-denied',
    },
    {
      name: 'ends with a credential that cannot be made',
      given: { identity: identityOf({ user: 'a\nb' }) },
      want: 'h h h h h h m header-unrepresentable',
    },
    {
      name: 'ends with a fault',
      route: {
        transformers: [
          {
            kind: 'headers',
            transform: () => {
              throw new TypeError('bug')
            },
          },
        ],
      },
      want: 'h h h h h h m internal-error',
    },
  ]
  for (const { name, route = {}, request, given, want } of CASES) {
    it(name, async () => {
      assert.equal(outcomes(await explained([route], request, given)), want)
    })
  }

  it('ends with a path that could be one of an earlier route, and tells which', async () => {
    const routes = [{ name: 'admin', match: { paths: ['/admin/**'] } }, { name: 'rest' }]
    const found = await explained(routes, { path: '/ADMIN;x/y' })
    assert.equal(outcomes(found), 'h m n n n n n ambiguous-path')
    assert.deepEqual([found.route.name, found.route.ambiguousWith], ['rest', 'admin'])
    const named = await explained(routes, { path: '/ADMIN;x/y', route: 'rest' })
    assert.equal(outcomes(named), 'h m n n n n n ambiguous-path')
    assert.deepEqual([named.route.by, named.route.ambiguousWith], ['envoy', 'admin'])
  })

  it('tells why routes were missed', async () => {
    const { route } = await explained(
      [
        { name: 'a', match: { hosts: ['other.example'] } },
        { name: 'b', match: { paths: ['/b/**'] } },
        { name: 'c' },
        { name: 'd' },
      ],
      { path: '/x' },
    )
    assert.deepEqual(route, {
      outcome: 'hit',
      name: 'c',
      by: 'match',
      routes: [
        {
          name: 'a',
          outcome: 'miss',
          missed: 'host',
          wanted: ['other.example'],
          got: 'app.example.org',
        },
        { name: 'b', outcome: 'miss', missed: 'path', wanted: ['/b/**'], got: '/x' },
        { name: 'c', outcome: 'hit' },
        { name: 'd', outcome: 'not-reached' },
      ],
    })
  })

  it('takes the route that Envoy names', async () => {
    const routes = [{ name: 'a' }, { name: 'b' }]
    const { route } = await explained(routes, { route: 'b' })
    assert.deepEqual(route, { outcome: 'hit', name: 'b', by: 'envoy', routes: [] })
    const unknown = await explained(routes, { route: 'z' })
    assert.deepEqual(unknown.route, { outcome: 'miss', name: 'z', by: 'envoy', routes: [] })
  })

  it('reports which authenticators were tried', async () => {
    const chain = [
      fakeAuthenticator('keys', { outcome: 'not-applicable' }, 'Key', [AUTHORIZATION]),
      fakeAuthenticator(
        'anonymous',
        { outcome: 'authenticated', credential: credentialOf() },
        'N',
        [],
      ),
      fakeAuthenticator(
        'staff',
        { outcome: 'rejected', code: 'credential-wrong', user: 'eve' },
        'Basic',
        [AUTHORIZATION],
      ),
      fakeAuthenticator('last', { outcome: 'not-applicable' }, 'L', [AUTHORIZATION]),
    ]
    const headers = [['authorization', basic('eve', 'pw')]] as const
    const { authenticate } = await explained([{ authenticators: chain }], { headers }, PROVE)
    assert.deepEqual(authenticate, {
      outcome: 'miss',
      given: false,
      code: 'credential-wrong',
      links: [
        { name: 'keys', outcome: 'not-applicable' },
        { name: 'anonymous', outcome: 'skipped' },
        { name: 'staff', outcome: 'rejected', code: 'credential-wrong', claimedUser: 'eve' },
        { name: 'last', outcome: 'not-reached' },
      ],
    })
  })

  it('reports why an authenticator gave no answer', async () => {
    const staff = fakeAuthenticator('staff', () => Promise.reject(new Error('directory down')))
    const { authenticate } = await explained([{ authenticators: [staff] }], {}, PROVE)
    assert.deepEqual(authenticate.links, [
      { name: 'staff', outcome: 'unavailable', detail: 'directory down' },
    ])
  })

  it('calls no authenticator where the identity is simulated', async () => {
    let asked = 0
    const staff = fakeAuthenticator('staff', () => {
      asked += 1
      return Promise.resolve({ outcome: 'not-applicable' })
    })
    const { authenticate } = await explained([{ authenticators: [staff] }])
    assert.deepEqual([asked, authenticate.given, authenticate.outcome], [0, true, 'hit'])
  })

  it('tells what would be forwarded, and what refused', async () => {
    const { transform } = await explained([{}], {
      headers: [
        ['authorization', 'Bearer secret'],
        ['x_remote_user', 'eve'],
      ],
    })
    assert.deepEqual(transform, {
      outcome: 'hit',
      kinds: ['headers'],
      set: [
        { name: 'x-remote-user', values: ['alice'] },
        { name: 'x-remote-group', values: ['dev'] },
      ],
      remove: ['authorization', 'x_remote_user'],
    })
    const { answer } = await explained([{ rules: [{ deny: 'no' }] }])
    assert.deepEqual([answer.status, answer.rule], [403, 'no'])
    assert.match(answer.body ?? '', /Access denied/)
  })

  it('notes what Envoy would have made of a path', async () => {
    const PATHS = [
      ['/a', []],
      ['/a/', []],
      ['//a/./b', ['Envoy, configured to normalise paths, sends /a/b instead.']],
      ['/a/%2e%2E/b', ['Envoy, configured to normalise paths, sends /b instead.']],
      ['/a/..', ['Envoy, configured to normalise paths, sends / instead.']],
      ['/a\\b', ['Envoy, configured to normalise paths, sends /a/b instead.']],
      [
        '/a%2Fb',
        ['Envoy, configured to reject escaped slashes, answers 400 itself without a check.'],
      ],
    ] as const
    for (const [path, want] of PATHS) {
      const { request } = await explained([{}], { path })
      assert.deepEqual(request.notes, want, path)
    }
  })
})

describe('an explanation, hostile', () => {
  const SECRETS = ['hunter2', 'tok3n', 'c00kie', 'k3y']

  it('holds no credential of the request', async () => {
    const redirects = ['https://login.example.org/?rd={url}', '/login/{url}', '/login#{url}']
    const denials = redirects.map((redirect) => [{ deny: 'no', redirect }])
    for (const rules of [[{ allow: 'all' }], ...denials]) {
      const explanation = await explained([{ rules }], {
        path: '/x?access_token=tok3n&API_KEY=k3y&q=1',
        headers: [
          ['authorization', basic('alice', 'hunter2')],
          ['cookie', 'sid=c00kie'],
          ['x-api-key', 'k3y'],
          ['referer', 'https://app.example.org/?access_token=tok3n'],
        ],
      })
      const text = JSON.stringify(explanation)
      for (const secret of [...SECRETS, basic('alice', 'hunter2')]) {
        assert.ok(!text.includes(secret), `${secret} in ${text}`)
      }
      assert.equal(explanation.request.query, 'access_token=[withheld]&API_KEY=[withheld]&q=1')
    }
  })

  it('withholds headers that may be credentials for the upstream', async () => {
    const transformer = {
      kind: 'headers',
      transform: () =>
        ({
          outcome: 'transformed',
          forwarding: { setHeaders: [['authorization', 'Bearer tok3n']], repeatedHeaders: [] },
        }) as const,
    } as const
    const { transform } = await explained([{ transformers: [transformer] }])
    assert.deepEqual(transform.set, [{ name: 'authorization', values: ['[withheld]'] }])
  })

  it('reports that there would be a token, and requests none', async () => {
    const transformer = {
      kind: 'exchanged-token',
      asks: true,
      transform: () => assert.fail('asked'),
    } as const
    const { transform } = await explained([{ transformers: [transformer] }])
    assert.deepEqual([transform.kinds, transform.set], [['exchanged-token'], []])
  })

  it('withholds a token of the service', async () => {
    const read = (): Promise<string> => Promise.resolve('tok3n')
    const explanation = await explained([{ transformers: [serviceToken({ name: 'own', read })] }])
    const { transform } = explanation
    assert.deepEqual(transform.set, [{ name: 'authorization', values: ['[withheld]'] }])
    assert.ok(!JSON.stringify(explanation).includes('tok3n'))
  })

  it('tells no claims, only their names', async () => {
    const identity = identityOf({ claims: { sub: 'x', secret: 'tok3n' } })
    const explanation = await explained([{}], {}, { identity })
    assert.deepEqual(explanation.identity.identity?.claims, ['sub', 'secret'])
    assert.ok(!JSON.stringify(explanation).includes('tok3n'))
  })
})
