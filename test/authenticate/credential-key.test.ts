// The key under which a credential is cached: it depends on every character of generation and credential.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeaderLine } from '../../src/request/header-line.ts'
import { CredentialKeys, fingerprintOf } from '../../src/authenticate/credential-key.ts'

const LONG = 'x'.repeat(30_000)

const CREDENTIALS: readonly string[] = [
  '',
  'a',
  'b',
  'a\0',
  'é',
  'e\u0301',
  '\u00c3\u00a9', // what the UTF-8 of "é" is as latin1
  '😀',
  LONG,
  `${LONG}y`,
  'x'.repeat(21_000),
]
const GENERATIONS: readonly string[] = ['', 'one', 'two', 'one\0', LONG, `${LONG}y`]

describe('the key of a credential', () => {
  it('is the same each time, in whatever order keys are made', () => {
    const keys = new CredentialKeys()
    const all = GENERATIONS.flatMap((generation) =>
      CREDENTIALS.map((credential) => [generation, credential] as const),
    )
    const first = all.map(([generation, credential]) => keys.keyOf(generation, credential))
    for (const [index, [generation, credential]] of [...all.entries()].toReversed()) {
      assert.equal(keys.keyOf(generation, credential), first[index])
    }
  })

  it('differs with every part of generation and credential', () => {
    const keys = new CredentialKeys()
    const all = GENERATIONS.filter((generation) => !generation.includes('\0')).flatMap(
      (generation) => CREDENTIALS.map((credential) => keys.keyOf(generation, credential)),
    )
    assert.equal(new Set(all).size, all.length)
  })

  it('is the same for the value of a header line with the same bytes', () => {
    const keys = new CredentialKeys()
    for (const generation of GENERATIONS) {
      for (const credential of CREDENTIALS) {
        const line = HeaderLine.of('authorization', Buffer.from(`Bearer ${credential}`))
        const key = keys.keyOfValue(generation, line, 'Bearer '.length)
        // Undefined for those that are too long to be put together in place.
        if (key !== undefined || generation.length + credential.length < 20_000) {
          assert.equal(key, keys.keyOf(generation, credential))
        }
      }
    }
  })

  it('is another one in another process', () => {
    assert.notEqual(new CredentialKeys().keyOf('one', 'a'), new CredentialKeys().keyOf('one', 'a'))
  })

  it('has a fingerprint for logs, which is a part of it', () => {
    const key = new CredentialKeys().keyOf('one', 'a')
    assert.equal(key.length, 32)
    assert.match(fingerprintOf(key), /^[\w-]{16}$/)
    assert.equal(Buffer.from(fingerprintOf(key), 'base64url').toString('latin1'), key.slice(0, 12))
  })
})
