// The secret of a store: which texts are keyrings, and what is derived from their keys.

import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { CountersignError } from '../../src/runtime/errors.ts'
import { deriveKey, newStateKeyLine, parseStateSecret } from '../../src/state/state-secret.ts'

const one = 'A'.repeat(43)
const other = 'B'.repeat(43)

describe('a keyring', () => {
  const GOOD = [
    { name: 'one key alone', text: one, want: 1 },
    { name: 'several keys, one a line', text: `${one}\n${other}\n`, want: 2 },
    {
      name: 'remarks, spaces and empty lines',
      text: `# new\r\n ${one} \r\n\r\n#${other}`,
      want: 1,
    },
    { name: 'a key of more than 32 bytes', text: 'x'.repeat(86), want: 1 },
    { name: 'what `countersign keys grant` makes', text: `${newGrantKeyLine()}\n`, want: 1 },
    { name: 'what is made where none is configured', text: newStateKeyLine(), want: 1 },
  ]
  for (const { name, text, want } of GOOD) {
    it(`is ${name}`, () => assert.equal(parseStateSecret('ring', text).length, want))
  }

  const BAD = [
    {
      name: 'an empty file',
      text: '',
      want: /^ring holds no key; `countersign keys grant` makes one$/,
    },
    { name: 'a file of comments alone', text: `# ${one}`, want: /holds no key/ },
    { name: 'a key of 31 bytes', text: `#\n${'x'.repeat(42)}`, want: /^ring:2 is not a key/ },
    { name: 'base64 with padding', text: `${one}=`, want: /^ring:1 is not a key/ },
    { name: 'base64 of another alphabet', text: '+'.repeat(43), want: /^ring:1 is not a key/ },
    { name: 'a key twice', text: `${one}\n${other}\n${one}`, want: /^ring holds a key twice$/ },
    { name: 'a password', text: 'correct horse battery staple', want: /^ring:1 is not a key/ },
  ]
  for (const { name, text, want } of BAD) {
    it(`is not ${name}, and the message does not contain it`, () =>
      assert.throws(
        () => parseStateSecret('ring', text),
        (cause) =>
          cause instanceof CountersignError &&
          cause.code === 'configuration-invalid' &&
          want.test(cause.message) &&
          !cause.message.includes('horse'),
      ))
  }

  it('does not print its keys', () => {
    assert.ok(!inspect(parseStateSecret('ring', one), { depth: 9 }).includes(one))
  })
})

describe('a derived key', () => {
  const secret = Buffer.alloc(32, 7)

  it('is that of RFC 5869, by hand', () => {
    const extracted = createHmac('sha256', Buffer.alloc(0)).update(secret).digest()
    const info = Buffer.from('countersign state: values\u0001')
    const want = createHmac('sha256', extracted).update(info).digest()
    assert.deepEqual(deriveKey(createSecretKey(secret), 'values').export(), want)
  })

  it('is another for each purpose and each secret', () => {
    const keys = [secret, Buffer.alloc(32, 8)].flatMap((bytes) =>
      ['values', 'names'].map((purpose) =>
        deriveKey(createSecretKey(bytes), purpose).export().toString('hex'),
      ),
    )
    assert.equal(new Set([...keys, secret.toString('hex')]).size, 5)
  })
})
