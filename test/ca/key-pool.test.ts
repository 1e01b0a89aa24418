// Keys: of the right kind, for one taker each, and made ahead without haste.

import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { KeyPool, keySource } from '../../src/ca/key-pool.ts'
import type { KeyAlgorithm } from '../../src/keys/key-algorithm.ts'

describe('generated keys', () => {
  const KINDS: Readonly<Record<KeyAlgorithm, Readonly<Record<string, unknown>>>> = {
    p256: { type: 'ec', namedCurve: 'prime256v1' },
    p384: { type: 'ec', namedCurve: 'secp384r1' },
    ed25519: { type: 'ed25519' },
    rsa2048: { type: 'rsa', modulusLength: 2_048, publicExponent: 65_537n },
    rsa3072: { type: 'rsa', modulusLength: 3_072, publicExponent: 65_537n },
    rsa4096: { type: 'rsa', modulusLength: 4_096, publicExponent: 65_537n },
  }
  for (const algorithm of ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072', 'rsa4096'] as const) {
    it(`are generated with the algorithm ${algorithm}`, async () => {
      const source = keySource(algorithm)
      const taken = source.take()
      source[Symbol.dispose]() // or it would generate another, which takes long for RSA
      const { privateKey, publicKey } = await taken
      const { asymmetricKeyType, asymmetricKeyDetails } = privateKey
      assert.deepEqual({ type: asymmetricKeyType, ...asymmetricKeyDetails }, KINDS[algorithm])
      const read = createPublicKey({ key: publicKey, type: 'spki', format: 'der' })
      assert.ok(read.equals(createPublicKey(privateKey)))
      assert.doesNotMatch(inspect({ privateKey }, { showHidden: true, depth: 9 }), /[0-9a-f]{16}/i)
    })
  }

  for (const [algorithm, count] of [
    ['p256', 20],
    ['p384', 20],
    ['ed25519', 20],
    ['rsa2048', 4],
  ] as const) {
    it(`of ${algorithm} are used once each`, async () => {
      using source = keySource(algorithm)
      source.prepare()
      const keys = await Promise.all(Array.from({ length: count }, () => source.take()))
      const distinct = new Set(keys.map(({ publicKey }) => publicKey.toString('hex')))
      assert.equal(distinct.size, count)
    })
  }
})

/** Makes keys when a test calls `make`. */
const slowly = () => {
  const started: PromiseWithResolvers<void>[] = []
  const generate = async () => {
    const step = Promise.withResolvers<void>()
    started.push(step)
    await step.promise
    return generateKeyPairSync('ed25519')
  }
  const finish = async (): Promise<void> => {
    started.at(-1)?.resolve()
    await setImmediate()
  }
  return { generate, finish, started }
}

describe('a pool of keys', () => {
  it('is empty before its first use', () => {
    const { generate, started } = slowly()
    using _ = new KeyPool(generate, 3)
    assert.equal(started.length, 0)
  })

  it('generates the configured number ahead, one at a time', async () => {
    const { generate, finish, started } = slowly()
    using pool = new KeyPool(generate, 3)
    pool.prepare()
    pool.prepare()
    assert.equal(started.length, 1)
    for (const count of [2, 3, 3, 3]) {
      await finish()
      assert.equal(started.length, count)
    }
  })

  it('returns a key at once, and generates another', async () => {
    const { generate, finish, started } = slowly()
    using pool = new KeyPool(generate, 1)
    pool.prepare()
    await finish()
    assert.ok(await pool.take())
    assert.equal(started.length, 2)
  })

  it('serves waiting requests in order, before it generates keys ahead', async () => {
    const { generate, finish } = slowly()
    using pool = new KeyPool(generate, 5)
    const served: number[] = []
    for (const index of [0, 1, 2]) void pool.take().then(() => served.push(index))
    await finish()
    assert.deepEqual(served, [0])
    await finish()
    await finish()
    assert.deepEqual(served, [0, 1, 2])
  })

  it('rejects waiting requests where generation fails, and tries again for the next', async () => {
    let broken = true
    const pool = new KeyPool(async () => {
      if (broken) throw new Error('no entropy')
      return generateKeyPairSync('ed25519')
    }, 1)
    await assert.rejects(pool.take(), /no entropy/)
    broken = false
    assert.ok(await pool.take())
  })

  it('generates none ahead after it is disposed of, but serves waiting requests', async () => {
    const { generate, finish, started } = slowly()
    const pool = new KeyPool(generate, 5)
    const taken = pool.take()
    pool[Symbol.dispose]()
    await finish()
    assert.ok(await taken)
    assert.equal(started.length, 1)
  })
})
