// Tokens for the upstream, explained: what they say of the caller, and never the token.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain } from '../../../src/tools/explain/explain.ts'
import { attributesOf } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'
import { Minting } from '../../transform/token/minting.ts'

const explained = async (parts: Readonly<Record<string, unknown>>) => {
  const identity = identityOf({ groups: ['dev'], claims: { email: 'alice@example.org' } })
  const routes = [{ transformers: [new Minting(parts).transformer] }]
  const signal = new AbortController().signal
  return await explain(attributesOf({}), snapshotOf(routes), { identity }, signal)
}

describe('a minted token explained', () => {
  it('shows its subject, and withholds its other claims', async () => {
    const { transform } = await explained({ claims: { email: 'claims.email' } })
    const [{ header, claims } = { header: '', claims: {} }] = transform.tokens ?? []
    assert.equal(header, 'authorization')
    const { iss, sub, aud, groups, amr, email } = claims
    assert.deepEqual(
      { iss, sub, aud, groups, amr, email },
      {
        iss: 'https://id.example.org',
        sub: 'alice',
        aud: 'kubernetes',
        groups: ['dev'],
        amr: ['pwd'],
        email: '[withheld]',
      },
    )
  })

  it('is not shown itself', async () => {
    const explanation = await explained({})
    assert.deepEqual(explanation.transform.set, [{ name: 'authorization', values: ['[withheld]'] }])
    assert.doesNotMatch(JSON.stringify(explanation), /eyJ/)
  })
})
