// An identity that is simulated instead of proven: all else is as on the live path.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../src/check/check.ts'
import type { Decision } from '../../src/check/decision.ts'
import { simulate } from '../../src/tools/simulation.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { serviceToken } from '../../src/transform/token/service-token.ts'
import type { Transformer } from '../../src/transform/transformer.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { attributesOf, type RequestParts } from '../fakes/envoy.ts'
import { identityOf } from '../fakes/identity.ts'
import type { RouteParts } from '../fakes/route.ts'
import { snapshotOf } from '../fakes/snapshot.ts'
import { Granting } from '../transform/granting.ts'

const FOREVER = new AbortController().signal
const KEY = { kind: 'query', name: 'api_key' } as const

describe('a check with a simulated identity', () => {
  const state = snapshotOf([
    { authenticators: [fakeAuthenticator('keys', PROVEN, 'Key realm="x"', [KEY])] },
  ])
  const given = simulate(state, { identity: identityOf({ authenticator: 'keys' }) })
  const CASES: readonly { name: string; request: RequestParts; want: string }[] = [
    { name: 'a plain request', request: { path: '/a?b=c' }, want: 'permitted' },
    {
      name: 'a credential that only other parsers would read as one',
      request: { path: '/a?API%5FKEY=x' },
      want: 'credential-malformed',
    },
  ]
  for (const { name, request, want } of CASES) {
    it(`ends as with a proven identity: ${name}`, async () => {
      for (const one of [state, given]) {
        const { reason } = await check(attributesOf(request), one, FOREVER)
        assert.equal(reason, want)
      }
    })
  }
})

describe('a token that another server makes', () => {
  let requests = 0
  const exchanged: Transformer = {
    kind: 'exchanged-token',
    asks: true,
    transform: () => {
      requests += 1
      return { outcome: 'failed', code: 'token-missing' }
    },
  }
  const decide = async (
    transformers: readonly Transformer[],
    identity: Identity | undefined,
    route: RouteParts = {},
    request: RequestParts = {},
  ): Promise<Decision> => {
    const authenticators = [fakeAuthenticator('keys', PROVEN)]
    const state = snapshotOf([{ authenticators, transformers, ...route }])
    return await check(attributesOf(request), simulate(state, { identity }), FOREVER)
  }
  const alice = identityOf({ authenticator: 'keys' })

  it('is left out where the identity is simulated: there is nothing to exchange, and no request is sent', async () => {
    requests = 0
    const decision = await decide([kubernetesHeaders(), exchanged], alice)
    assert.equal(decision.outcome, 'allow')
    const { kinds, setHeaders, repeatedHeaders } = decision.credentials
    // It is reported that there would be one.
    assert.deepEqual(kinds, ['headers', 'exchanged-token'])
    assert.deepEqual([setHeaders, repeatedHeaders], [[['x-remote-user', 'alice']], []])
    assert.equal(requests, 0)
  })

  it('is requested where the identity is proven', async () => {
    requests = 0
    const decision = await decide([exchanged], undefined)
    assert.deepEqual([decision.reason, requests], ['token-missing', 1])
  })

  it('names the caller where a rule lets it impersonate a user, too', async () => {
    const impersonate = { users: ['bob'] }
    const decision = await decide(
      [exchanged],
      alice,
      { kind: 'kubernetes', rules: [{ allow: 'deputies', impersonate }] },
      { path: '/api/v1/pods', headers: [['impersonate-user', 'bob']] },
    )
    assert.equal(decision.reason, 'permitted')
  })

  it('is not left out where no request is needed', async () => {
    const read = (): Promise<string> => Promise.resolve('own-token')
    const decision = await decide([serviceToken({ name: 'own', read })], alice)
    assert.equal(decision.outcome, 'allow')
    assert.deepEqual(decision.credentials.setHeaders, [['authorization', 'Bearer own-token']])
  })

  it('is missing, like a certificate that would be copied: a simulated identity has none', async () => {
    const { transformer } = new Granting({ subject: {}, delegate: {} })
    const simulated = await decide([transformer], alice)
    assert.equal(simulated.outcome, 'allow')
    assert.deepEqual(simulated.credentials.kinds, ['certificate'])
    assert.equal((await decide([transformer], undefined)).reason, 'certificate-missing')
  })
})
