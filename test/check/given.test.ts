// Somebody who is given in place of being proven: all else is as on the live path.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../src/check/check.ts'
import { withGiven } from '../../src/check/given.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { attributesOf, type RequestParts } from '../fakes/envoy.ts'
import { identityOf } from '../fakes/identity.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FOREVER = new AbortController().signal
const KEY = { kind: 'query', name: 'api_key' } as const

describe('a check about somebody who is given', () => {
  const state = snapshotOf([
    { authenticators: [fakeAuthenticator('keys', PROVEN, 'Key realm="x"', [KEY])] },
  ])
  const given = withGiven(state, { identity: identityOf({ authenticator: 'keys' }) })
  const CASES: readonly { name: string; request: RequestParts; want: string }[] = [
    { name: 'a plain request', request: { path: '/a?b=c' }, want: 'permitted' },
    {
      name: 'a credential that only others would read as one',
      request: { path: '/a?API%5FKEY=x' },
      want: 'credential-malformed',
    },
  ]
  for (const { name, request, want } of CASES) {
    it(`ends as with somebody who is proven: ${name}`, async () => {
      for (const one of [state, given]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const { reason } = await check(attributesOf(request), one, {}, FOREVER)
        assert.equal(reason, want)
      }
    })
  }
})
