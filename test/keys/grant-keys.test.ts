// The keyring of authz and the signer: what a file may look like, and that no key ever shows.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import {
  GRANT_KEY_BYTES,
  newGrantKeyLine,
  parseGrantKeys,
  type GrantKey,
} from '../../src/keys/grant-keys.ts'

const SOURCE = '/etc/countersign/grant.keys'

const lineOf = (byte: number): string => Buffer.alloc(GRANT_KEY_BYTES, byte).toString('base64url')

const [A, B, C] = [lineOf(0xa1), lineOf(0xb2), lineOf(0xc3)]

/** The first byte of each key: which ones were read, in order. */
const bytesOf = (keys: readonly GrantKey[]): readonly number[] =>
  keys.map(({ secret }) => secret.export()[0] ?? 0)

const refusalOf = (text: string): Error => {
  let refusal: unknown
  assert.throws(
    () => parseGrantKeys(SOURCE, text),
    (cause) => {
      refusal = cause
      return true
    },
  )
  assert.ok(refusal instanceof Error && 'code' in refusal)
  assert.equal(refusal.code, 'grant-keys-invalid')
  return refusal
}

describe('the keyring of grants', () => {
  const CASES = [
    { name: 'is read with one key', input: A, want: [0xa1] },
    { name: 'is read with several, in order', input: `${B}\n${A}\n${C}`, want: [0xb2, 0xa1, 0xc3] },
    { name: 'is read with a final line end', input: `${A}\n`, want: [0xa1] },
    { name: 'is read with comments', input: `# made on Monday\n${A}\n  # ${B}\n`, want: [0xa1] },
    { name: 'is read with empty lines', input: `\n\n${A}\n   \n${B}\n\n`, want: [0xa1, 0xb2] },
    { name: 'is read with CR LF', input: `${A}\r\n${B}\r\n`, want: [0xa1, 0xb2] },
    { name: 'is read with spaces around the keys', input: `  ${A}\t\n${B} `, want: [0xa1, 0xb2] },
    { name: 'is read with a byte order mark', input: `\ufeff${A}`, want: [0xa1] },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => {
      const keys = parseGrantKeys(SOURCE, input)
      assert.deepEqual(bytesOf(keys), want)
      for (const { secret } of keys) assert.equal(secret.symmetricKeySize, 32)
    })
  }

  it('has when a key was made, where the line before it says so', () => {
    const text = `# created 2026-01-01T00:00:00.000Z\n${A}\n# created yesterday\n${B}\n# created 2026-01-01T00:00:00Z\n\n${C}`
    const created = parseGrantKeys(SOURCE, text).map((key) => key.created)
    assert.deepEqual(created, [Date.UTC(2026, 0, 1), undefined, undefined])
  })

  it('accepts a new key, which is random', () => {
    const lines = Array.from({ length: 100 }, newGrantKeyLine)
    assert.equal(parseGrantKeys(SOURCE, lines.join('\n')).length, 100)
    for (const line of lines) assert.match(line, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(new Set(lines).size, 100)
  })
})

describe('the id of a grant key', () => {
  const [key] = parseGrantKeys(SOURCE, A)

  it('is derived from the key: the same in every process, file and version', () => {
    const [again] = parseGrantKeys('env:KEYS', `# other\n${A}\n${B}`)
    assert.deepEqual(again?.id, key?.id)
    assert.equal(key?.id.toString('hex'), '5cad22d7')
    const want = createHmac('sha256', Buffer.alloc(32, 0xa1)).update('countersign grant key id')
    assert.deepEqual(key.id, want.digest().subarray(0, 4))
  })

  it('has no byte of the key', () => {
    const [ascending] = parseGrantKeys(
      SOURCE,
      Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64url'),
    )
    assert.ok(ascending?.id.some((byte) => byte >= 32))
  })

  it('differs between keys', () => {
    const ids = parseGrantKeys(SOURCE, `${A}\n${B}\n${C}`).map(({ id }) => id.toString('hex'))
    assert.equal(new Set(ids).size, 3)
  })
})

describe('a malformed keyring of grants', () => {
  const NOT_A_KEY = /^\/etc\/countersign\/grant\.keys:1 is not a key: 43 characters of base64url/
  const CASES = [
    {
      name: 'in an empty file',
      input: '',
      want: /holds no key; `countersign keys grant` makes one$/,
    },
    { name: 'of comments only', input: `# ${A}\n\n`, want: /holds no key/ },
    {
      name: 'of a key of 31 bytes',
      input: Buffer.alloc(31, 1).toString('base64url'),
      want: NOT_A_KEY,
    },
    {
      name: 'of a key of 33 bytes',
      input: Buffer.alloc(33, 1).toString('base64url'),
      want: NOT_A_KEY,
    },
    {
      name: 'of a key of 16 bytes',
      input: Buffer.alloc(16, 1).toString('base64url'),
      want: NOT_A_KEY,
    },
    { name: 'of base64 with padding', input: `${A}=`, want: NOT_A_KEY },
    {
      name: 'of base64 with + and /',
      input: Buffer.alloc(32, 0xfb).toString('base64').slice(0, 43),
      want: NOT_A_KEY,
    },
    { name: 'of hexadecimal', input: Buffer.alloc(32, 1).toString('hex'), want: NOT_A_KEY },
    { name: 'of two keys on a line', input: `${A} ${B}`, want: NOT_A_KEY },
    { name: 'of a key followed by a comment', input: `${A} # mine`, want: NOT_A_KEY },
    { name: 'of a key with a label', input: `key=${A}`, want: NOT_A_KEY },
    { name: 'of YAML', input: `- ${A}`, want: NOT_A_KEY },
    { name: 'of PEM', input: `-----BEGIN KEY-----\n${A}`, want: NOT_A_KEY },
    { name: 'of a key with a NUL', input: `${A}\0`, want: NOT_A_KEY },
    {
      name: 'of a malformed key in a later line',
      input: `${A}\n\n${B}x`,
      want: /grant\.keys:3 is not a key/,
    },
    { name: 'with a key twice', input: `${A}\n${B}\n${A}`, want: /holds a key twice$/ },
    // The last character carries two bits of nothing: the same key in another spelling.
    {
      name: 'with a key twice, spelt in two ways',
      input: `${A}\n${A.slice(0, -1)}${nextOf(A)}`,
      want: /holds a key twice$/,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is refused as a keyring ${name}`, () => {
      const { message } = refusalOf(input)
      assert.match(message, want)
      assert.ok(message.startsWith(SOURCE))
    })
  }

  it('is not quoted in the error, not even in part', () => {
    const secrets = [`${A}!`, `${A}${B}`, `${A} ${B}`, `x${A}`, `${A}\n${A}`, A.slice(1)]
    for (const text of secrets) {
      const refusal = refusalOf(text)
      const printed = `${inspect(refusal, { depth: 9, showHidden: true })}${JSON.stringify(refusal)}`
      for (let at = 0; at + 8 <= text.length; at += 4) {
        assert.ok(!printed.includes(text.slice(at, at + 8)), printed)
      }
    }
  })
})

/** The character that differs from the last one in the bits that are left over. */
function nextOf(line: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(line.at(-1) ?? '') + 1)
}

describe('a grant key', () => {
  const secret = Buffer.from('an-example-of-a-secret-32-bytes!')
  const [key] = parseGrantKeys(SOURCE, secret.toString('base64url'))

  it('is not printed', () => {
    const printed = [
      inspect(key),
      inspect(key, { depth: Infinity, showHidden: true, compact: false }),
      inspect({ deep: [{ key }] }, { depth: Infinity, showHidden: true, getters: true }),
      JSON.stringify(key),
      JSON.stringify(key?.secret),
      JSON.stringify(Object.entries(key ?? {})),
    ]
    const forms = ['utf8', 'hex', 'base64', 'base64url', 'latin1'] as const
    for (const text of printed) {
      for (const form of forms) assert.ok(!text.includes(secret.toString(form).slice(0, 8)), text)
      assert.ok(!text.includes([...secret.subarray(0, 4)].join(',')), text)
    }
  })

  it('is a key object, which returns its bytes only by `export`', () => {
    assert.equal(key?.secret.type, 'secret')
    assert.deepEqual(key.secret.export(), secret)
    assert.deepEqual(Object.keys(key.secret), [])
  })
})
