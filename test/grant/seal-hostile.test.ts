// Handles that no grant key sealed: every one of them is refused, and for the right reason.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gcmsiv } from '@noble/ciphers/aes.js'
import { encodeGrant } from '../../src/grant/grant.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import { bytesOf } from '../fixtures/certificate.ts'
import { grantOf, makeGrantKey, sealed, sealedBytes, codeOf } from '../fakes/grant.ts'

const KEY = makeGrantKey()
const OTHER = makeGrantKey()
const seal = new GrantSeal([KEY])
const handle = sealed(grantOf(), KEY)

describe('a certificate handle that no grant key sealed', () => {
  const bytes = Buffer.from(handle, 'base64url')

  it('is refused for any changed byte', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const forged = Buffer.from(bytes)
        forged[at] = (forged[at] ?? 0) ^ change
        const want = at === 0 ? 'handle-malformed' : at < 5 ? 'grant-key-unknown' : 'grant-forged'
        assert.equal(codeOf(seal.open(forged.toString('base64url'))), want, `byte ${at}`)
      }
    }
  })

  it('is refused for any changed character', () => {
    for (let at = 0; at < handle.length; at++) {
      const forged = handle.slice(0, at) + (handle[at] === 'A' ? 'B' : 'A') + handle.slice(at + 1)
      assert.equal(seal.open(forged).outcome, 'refused', `character ${at}`)
    }
  })

  it('is refused when it is truncated or extended', () => {
    for (let length = 0; length < handle.length; length++) {
      assert.equal(seal.open(handle.slice(0, length)).outcome, 'refused')
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA', handle]) {
      assert.equal(seal.open(handle + more).outcome, 'refused')
    }
  })

  const header = bytes.subarray(0, 5)
  const CASES: readonly { name: string; input: string; want: string }[] = [
    { name: 'an empty handle', input: '', want: 'handle-malformed' },
    {
      name: 'Envoy’s name for absent metadata',
      input: 'deny.no-identity',
      want: 'handle-malformed',
    },
    { name: 'with padding', input: `${handle}=`, want: 'handle-malformed' },
    { name: 'with a line end', input: `${handle}\n`, want: 'handle-malformed' },
    {
      name: 'with a space',
      input: `${handle.slice(0, 9)} ${handle.slice(9)}`,
      want: 'handle-malformed',
    },
    { name: 'in base64 with + and /', input: '+/+/+/+/', want: 'handle-malformed' },
    { name: 'in letters beyond ASCII', input: 'ü'.repeat(60), want: 'handle-malformed' },
    {
      name: 'of another format',
      input: Buffer.concat([Buffer.of(2), bytes.subarray(1)]).toString('base64url'),
      want: 'handle-malformed',
    },
    { name: 'a header only', input: header.toString('base64url'), want: 'handle-malformed' },
    {
      name: 'without ciphertext',
      input: Buffer.concat([header, Buffer.alloc(16)]).toString('base64url'),
      want: 'handle-malformed',
    },
    {
      name: 'with an empty tag',
      input: Buffer.concat([header, Buffer.alloc(17)]).toString('base64url'),
      want: 'grant-forged',
    },
    {
      name: 'sealed with an unknown key',
      input: sealed(grantOf(), OTHER),
      want: 'grant-key-unknown',
    },
    {
      name: 'sealed with another key under the id of a grant key',
      input: sealed(grantOf(), { id: KEY.id, secret: OTHER.secret }),
      want: 'grant-forged',
    },
    {
      name: 'sealed with a grant key under the id of another',
      input: sealed(grantOf(), { id: OTHER.id, secret: KEY.secret }),
      want: 'grant-key-unknown',
    },
    {
      name: 'sealed, but not a grant',
      input: sealedBytes(bytesOf('ffff'), KEY),
      want: 'grant-malformed',
    },
    { name: 'longer than the limit', input: 'A'.repeat(6_001), want: 'handle-malformed' },
  ]
  for (const { name, input, want } of CASES) {
    it(`is refused: ${name}`, () => assert.equal(codeOf(seal.open(input)), want))
  }

  it('is not another spelling of a sealed one: spare bits of base64url are zero', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    let found = 0
    // Lengths of 1 and 2 more than a multiple of three leave bits over.
    for (const route of ['a', 'ab', 'abc']) {
      const genuine = sealed(grantOf({ route }), KEY)
      for (const last of alphabet) {
        const other = genuine.slice(0, -1) + last
        if (other === genuine) continue
        const bytesOfOther = Buffer.from(other, 'base64url')
        if (bytesOfOther.equals(Buffer.from(genuine, 'base64url'))) found++
        const isCanonical = bytesOfOther.toString('base64url') === other
        const want = isCanonical ? 'grant-forged' : 'handle-malformed'
        assert.equal(codeOf(seal.open(other)), want)
      }
    }
    assert.ok(found >= 3 + 15)
  })

  it('is refused with the header of another format', () => {
    const { secret, id } = KEY
    const header2 = Buffer.concat([Buffer.of(2), id])
    const text = gcmsiv(secret.export(), new Uint8Array(12), header2).encrypt(
      encodeGrant(grantOf()),
    )
    const forged = Buffer.concat([Buffer.of(1), id, text]).toString('base64url')
    assert.equal(codeOf(seal.open(forged)), 'grant-forged')
  })
})
