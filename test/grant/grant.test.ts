// Grants as bytes: equal grants have equal bytes, and different ones different bytes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeGrant, encodeGrant, type Grant } from '../../src/grant/grant.ts'
import { bytesOf } from '../fixtures/certificate.ts'
import { grantOf } from '../fakes/grant.ts'
import { randomFrom } from '../fakes/random.ts'

const EXTENSION = { oid: '1.2.3', critical: true, value: Buffer.of(5, 0) }

describe('the encoding of a certificate grant', () => {
  it('has its fields in the order of their numbers', () => {
    const grant: Grant = {
      authority: 'a',
      route: 'r',
      authenticator: 's',
      subject: bytesOf('3000'),
      extensions: [EXTENSION, { ...EXTENSION, critical: false }],
      notBefore: 1,
      notAfter: 300,
      renewAt: 2 ** 33,
    }
    const want = `0a0161 120172 1a0173 22023000
      2a0d 0a05312e322e33 1001 1a020500
      2a0d 0a05312e322e33 1000 1a020500
      3001 38ac02 408080808020`
    assert.equal(encodeGrant(grant).toString('hex'), bytesOf(want).toString('hex'))
    assert.deepEqual(decodeGrant(encodeGrant(grant)), grant)
  })

  it('is decoded to the same grant, whatever its fields', () => {
    const random = randomFrom(0x94)
    const bytes = (): Buffer => Buffer.from(Array.from({ length: random(40) }, () => random(256)))
    const text = (): string =>
      Array.from({ length: random(20) }, () => 'aü✓😀'.charAt(random(3))).join('')
    // Before 1970 too: a backdate can be longer than the time since then on a clock that was reset.
    const second = (): number => random(4_294_967_295) * 1_000 - 1_000_000_000
    for (let round = 0; round < 500; round++) {
      const grant: Grant = {
        authority: text(),
        route: text(),
        authenticator: text(),
        subject: bytes(),
        extensions: Array.from({ length: random(5) }, () => ({
          oid: text(),
          critical: random(2) === 0,
          value: bytes(),
        })),
        notBefore: second(),
        notAfter: second(),
        renewAt: second(),
      }
      const written = encodeGrant(grant)
      assert.deepEqual(decodeGrant(written), grant)
      assert.deepEqual(encodeGrant(decodeGrant(written)), written)
      assert.deepEqual(encodeGrant(structuredCloneOf(grant)), written)
    }
  })

  const CHANGES: readonly { name: string; input: Partial<Grant> }[] = [
    { name: 'authority', input: { authority: 'kube2' } },
    { name: 'route', input: { route: 'dashboard' } },
    { name: 'authenticator', input: { authenticator: 'guests' } },
    { name: 'subject', input: { subject: bytesOf('3000') } },
    { name: 'extensions', input: { extensions: [] } },
    { name: 'order of extensions', input: { extensions: grantOf().extensions.toReversed() } },
    { name: 'value of an extension', input: { extensions: [EXTENSION] } },
    {
      name: 'criticality of an extension',
      input: { extensions: [{ ...EXTENSION, critical: false }] },
    },
    { name: 'beginning', input: { notBefore: grantOf().notBefore + 1 } },
    { name: 'end', input: { notAfter: grantOf().notAfter + 1 } },
    { name: 'renewal', input: { renewAt: grantOf().renewAt + 1 } },
  ]
  it('differs with each field', () => {
    const all = [grantOf(), ...CHANGES.map(({ input }) => grantOf(input))]
    assert.equal(new Set(all.map((grant) => encodeGrant(grant).toString('hex'))).size, all.length)
  })

  for (const input of ['ff', '0b', '22ffffffff0f', '30ffffffffffffffffffff01']) {
    it(`is refused as 0x${input}`, () => assert.throws(() => decodeGrant(bytesOf(input))))
  }
})

/** An equal grant that shares no object with the other, its keys in another order. */
const structuredCloneOf = (grant: Grant): Grant => ({
  renewAt: grant.renewAt,
  notAfter: grant.notAfter,
  notBefore: grant.notBefore,
  extensions: grant.extensions.map(({ oid, critical, value }) => ({
    value: Buffer.from(value),
    critical,
    oid,
  })),
  subject: Buffer.from(grant.subject),
  authenticator: grant.authenticator,
  route: grant.route,
  authority: grant.authority,
})
