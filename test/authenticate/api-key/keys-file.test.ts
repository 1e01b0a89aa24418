// Files of API keys: what they yield, and the position of every problem.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashOf, newApiKey, readApiKey } from '../../../src/authenticate/api-key/key.ts'
import { KeysFile } from '../../../src/authenticate/api-key/keys-file.ts'
import { ConfigurationError } from '../../../src/config/problem.ts'
import type { ProvenCredential } from '../../../src/identity/identity.ts'

const FILE = '/etc/api-keys.yaml'
const key = newApiKey('ci')
const hash = hashOf(key)
const other = hashOf(newApiKey('other'))

const find = async (text: string, wanted = key): Promise<ProvenCredential | undefined> => {
  const read = readApiKey(wanted)
  assert.ok(read !== undefined)
  const keys = await KeysFile.parse(FILE, text)
  return keys.find(read)?.credential
}

/** `line:column path: message` of each problem. */
const problemsIn = async (text: string): Promise<readonly string[]> => {
  try {
    await KeysFile.parse(FILE, text)
  } catch (cause) {
    assert.ok(cause instanceof ConfigurationError)
    return cause.problems.map(({ file, position, path, message }) => {
      assert.equal(file, FILE)
      return `${position?.line}:${position?.column} ${path}: ${message}`
    })
  }
  return []
}

describe('a file of API keys', () => {
  it('yields all that an entry has', async () => {
    const text = `
keys:
  ci:
    hash: ${hash}
    user: ju\u0308rgen
    uid: "42"
    groups: [dev, ops]
    extra: { team: [a, b] }
    expires: 2030-12-31T23:59:59.5+01:00
`
    assert.deepEqual(await find(text), {
      method: 'api-key',
      digest: 'ci',
      user: 'j\u00fcrgen',
      uid: '42',
      groups: ['dev', 'ops'],
      extra: { team: ['a', 'b'] },
      expires: Date.UTC(2030, 11, 31, 22, 59, 59, 500),
      presented: { proven: true, id: 'ci' },
    })
  })

  it('requires only hash and user', async () => {
    assert.deepEqual(await find(`keys: { ci: { hash: '${hash}', user: alice } }`), {
      method: 'api-key',
      digest: 'ci',
      user: 'alice',
      uid: undefined,
      groups: [],
      extra: {},
      expires: undefined,
      presented: { proven: true, id: 'ci' },
    })
  })

  it('yields the same credential object each time, so that it is mapped once', async () => {
    const file = await KeysFile.parse(FILE, `keys: { ci: { hash: '${hash}', user: alice } }`)
    const read = readApiKey(key)
    assert.ok(read !== undefined)
    assert.equal(file.find(read)?.credential, file.find(read)?.credential)
  })

  for (const text of ['keys: {}', 'keys:', 'keys:\n# none\n']) {
    it(`may hold none: ${JSON.stringify(text)}`, async () =>
      assert.equal(await find(text), undefined))
  }

  const UNKNOWN: readonly { name: string; text: string; wanted?: string }[] = [
    { name: 'of another id', text: `keys: { other: { hash: '${hash}', user: alice } }` },
    { name: 'of that id with another secret', text: `keys: { ci: { hash: '${other}', user: a } }` },
    {
      name: 'that is disabled',
      text: `keys: { ci: { hash: '${hash}', user: alice, disabled: true } }`,
    },
    {
      name: 'with the id of something that every object has',
      text: `keys: { ci: { hash: '${hash}', user: alice } }`,
      wanted: newApiKey('constructor'),
    },
  ]
  for (const { name, text, wanted } of UNKNOWN) {
    it(`does not know a key ${name}`, async () => assert.equal(await find(text, wanted), undefined))
  }
})

describe('a file of API keys is refused', () => {
  const CASES: readonly { name: string; text: string; want: readonly RegExp[] }[] = [
    { name: 'that is empty', text: '', want: [/the file is empty/] },
    { name: 'that is not YAML', text: 'keys: [', want: [/^1:8 /] },
    { name: 'with unknown keys', text: 'keys: {}\nusers: {}', want: [/^2:1 users: unknown key/] },
    {
      name: 'with entries whose required fields are missing',
      text: 'keys:\n  a: {}\n  b: { user: b }\n',
      want: [
        /^2:3 keys\.a\.hash: required, but missing/,
        /^2:3 keys\.a\.user: required, but missing/,
        /^3:3 keys\.b\.hash: required, but missing/,
      ],
    },
    {
      name: 'with the key itself in place of its hash, which is not repeated',
      text: `keys:\n  ci: { hash: ${key}, user: a }\n`,
      want: [/^2:9 keys\.ci\.hash: is a key and not its hash; it has been written down, so revoke/],
    },
    {
      name: 'with a hash of another kind',
      text: `keys:\n  ci: { hash: ${'a'.repeat(64)}, user: a }\n`,
      want: [/^2:9 keys\.ci\.hash: is not "sha256:" and 64 lower-case hexadecimal digits/],
    },
    {
      name: 'with an id that no key has',
      text: `keys:\n  CI: { hash: '${hash}', user: a }\n  a_b: { hash: '${other}', user: a }\n`,
      want: [/^2:3 keys\.CI: an id is 1 to 63/, /^3:3 keys\.a_b: an id is 1 to 63/],
    },
    {
      name: 'with one id twice',
      text: `keys:\n  ci: { hash: '${hash}', user: a }\n  ci: { hash: '${other}', user: b }\n`,
      want: [/^3:3 : "ci" is also in line 2/],
    },
    {
      name: 'with one hash twice',
      text: `keys:\n  ci: { hash: '${hash}', user: a }\n  cd: { hash: '${hash}', user: b }\n`,
      want: [/^3:9 keys\.cd\.hash: is the hash of another key in this file/],
    },
    {
      name: 'with an expiry that is not a time',
      text: `keys:\n  a: { hash: '${hash}', user: a, expires: 2030-12-31 }\n  b: { hash: '${other}', user: b, expires: 2030-02-30T00:00:00Z }\n`,
      want: [
        /^2:\d+ keys\.a\.expires: must be a time such as .* \(RFC 3339\)/,
        /^3:\d+ keys\.b\.expires: must be a time such as/,
      ],
    },
    {
      name: 'with an expiry without a time zone',
      text: `keys:\n  a: { hash: '${hash}', user: a, expires: '2030-12-31T00:00:00' }\n`,
      want: [/^2:\d+ keys\.a\.expires: must be a time/],
    },
  ]
  for (const { name, text, want } of CASES) {
    it(name, async () => {
      const got = await problemsIn(text)
      assert.equal(got.length, want.length, got.join('\n'))
      for (const [index, pattern] of want.entries()) assert.match(got[index] ?? '', pattern)
      assert.ok(!got.join('\n').includes(key))
    })
  }
})
