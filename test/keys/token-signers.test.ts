// Keys for modules that write their tokens themselves: what they sign, and when they refuse to.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compactVerify } from 'jose'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { FakeClock } from '../fakes/clock.ts'
import { madeKey, signingKeysOf, type MadeKey } from '../fakes/signing-keys.ts'
import { HOUR, instant, MINUTE, START } from './lists.ts'
import { setAt } from './made-keys.ts'

const [a, b, c, rsa, ed] = await Promise.all([
  madeKey('ES256', START),
  madeKey('ES256', START + HOUR),
  madeKey('ES256', START + 2 * HOUR),
  madeKey('RS256', START),
  madeKey('EdDSA', START),
])

const NAMES = new Map([
  [a.entry.kid, 'a'],
  [b.entry.kid, 'b'],
  [c.entry.kid, 'c'],
])

const revoked = (key: MadeKey, after: number): MadeKey => ({
  ...key,
  entry: { ...key.entry, revoked: instant(after) },
})

describe('the private keys for oidc-provider', () => {
  const input = (kid: string, alg: SigningAlgorithm): string => {
    const header = Buffer.from(JSON.stringify({ alg, kid })).toString('base64url')
    return `${header}.${Buffer.from('{}').toString('base64url')}`
  }

  it('sign tokens that another library verifies, with every algorithm', async () => {
    const signers = setAt([a, rsa, ed], HOUR).signers()
    assert.equal(signers.length, SIGNING_ALGORITHMS.length)
    for (const signing of signers) {
      const { kid, algorithm, publicKey } = signing
      const text = input(kid, algorithm)
      const signature = Buffer.from(await signing.sign(Buffer.from(text))).toString('base64url')
      const { protectedHeader } = await compactVerify(`${text}.${signature}`, publicKey)
      assert.equal(protectedHeader.kid, kid)
    }
  })

  it('are the signing one, then the retired ones; neither the next one nor revoked ones', () => {
    const namesAt = (keys: readonly MadeKey[], after: number): string =>
      setAt(keys, after)
        .signers()
        .map(({ kid, signs }) => `${NAMES.get(kid)}${signs ? ' signs' : ''}`)
        .join(', ')
    assert.equal(namesAt([a, b], 0), 'a signs')
    assert.equal(namesAt([a, b], HOUR), 'b signs, a')
    assert.equal(namesAt([a, revoked(b, 90 * MINUTE), c], 2 * HOUR), 'c signs, a')
  })

  it('hostile: the private keys for oidc-provider that are retired or next sign nothing', async () => {
    const [, retired] = setAt([a, b], HOUR).signers()
    assert.equal(retired?.signs, false)
    await assert.rejects(retired.sign(Buffer.from('x')), { code: 'signing-keys-invalid' })
    const clock = new FakeClock(START)
    const [now] = signingKeysOf([a, b], clock).signers()
    clock.advance(HOUR)
    await assert.rejects(
      async () => await now?.sign(Buffer.from('x')),
      { code: 'signing-keys-invalid' },
      'its time is over',
    )
  })
})
