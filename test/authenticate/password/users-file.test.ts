// Users files in both forms: what they yield, and the position of every problem.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import type { Verification } from '../../../src/authenticate/password/verifier.ts'
import { ConfigurationError } from '../../../src/config/problem.ts'
import { CALLER } from '../../fakes/caller.ts'
import { bcryptHashOf, cheapHash } from '../../fakes/hashes.ts'

const hash = await cheapHash('secret')
const bcrypt = await bcryptHashOf('secret', '2y')

const parse = async (file: string, text: string): Promise<UsersFile> =>
  await UsersFile.parse(file, text, new HashPool())

/** The verification of a user, without the reference to the account. */
const verify = async (
  file: string,
  text: string,
  name: string,
  password = 'secret',
): Promise<Verification> => {
  const users = await parse(file, text)
  const verification = await users.verify(name, password, CALLER)
  if (verification.outcome !== 'verified') return verification
  const { outcome, user } = verification
  return { outcome, user }
}

/** `line:column path: message` of each problem. */
const problemsIn = async (file: string, text: string): Promise<readonly string[]> => {
  try {
    await parse(file, text)
  } catch (cause) {
    assert.ok(cause instanceof ConfigurationError)
    return cause.problems.map(({ position, path, message, file: named }) => {
      assert.equal(named, file)
      const place = position === undefined ? '-' : `${position.line}:${position.column}`
      return path === '' ? `${place} ${message}` : `${place} ${path}: ${message}`
    })
  }
  return []
}

const assertProblems = (got: readonly string[], want: readonly RegExp[]): void => {
  assert.equal(got.length, want.length, got.join('\n'))
  for (const [index, pattern] of want.entries()) assert.match(got[index] ?? '', pattern)
}

describe('a YAML users file', () => {
  const FILE = '/etc/users.yaml'

  it('yields everything that an entry has', async () => {
    const text = `
users:
  alice:
    password: ${hash}
    uid: "42"
    groups: [dev, ops]
    extra: { team: [a, b] }
`
    assert.deepEqual(await verify(FILE, text, 'alice'), {
      outcome: 'verified',
      user: { user: 'alice', uid: '42', groups: ['dev', 'ops'], extra: { team: ['a', 'b'] } },
    })
  })

  it('refuses a disabled user who has the right password', async () => {
    const text = `users: { alice: { password: '${hash}', disabled: true } }`
    assert.deepEqual(await verify(FILE, text, 'alice'), {
      outcome: 'barred',
      code: 'user-disabled',
    })
    assert.deepEqual(await verify(FILE, text, 'alice', 'x'), { outcome: 'wrong-password' })
  })

  it('accepts either kind of hash', async () => {
    const text = `users: { alice: { password: '${hash}' }, bob: { password: '${bcrypt}' } }`
    assert.equal((await verify(FILE, text, 'alice')).outcome, 'verified')
    assert.equal((await verify(FILE, text, 'bob')).outcome, 'verified')
  })

  it('finds a name in NFD by the same name in NFC', async () => {
    const text = `users: { ju\u0308rgen: { password: '${hash}' } }`
    const verification = await verify(FILE, text, 'j\u00fcrgen')
    assert.equal(verification.outcome, 'verified')
    assert.equal(verification.user.user, 'j\u00fcrgen')
  })

  it('distinguishes upper and lower case', async () => {
    const text = `users: { alice: { password: '${hash}' } }`
    assert.equal((await verify(FILE, text, 'Alice')).outcome, 'unknown-user')
  })

  for (const file of ['/etc/users.yml', '/etc/users.YAML', '/etc/users.json']) {
    it(`may be called ${file}`, async () => {
      const text = JSON.stringify({ users: { alice: { password: hash } } })
      assert.equal((await verify(file, text, 'alice')).outcome, 'verified')
    })
  }

  const CASES: readonly { name: string; input: string; want: readonly RegExp[] }[] = [
    { name: 'an empty file', input: '', want: [/^- the file is empty$/] },
    { name: 'no users', input: 'users: {}', want: [/^- holds no users$/] },
    { name: 'a list', input: '- alice', want: [/^1:1 must be a mapping/] },
    { name: 'broken YAML', input: 'users:\n  a: [', want: [/^2:\d+ /] },
    {
      name: 'an unknown key',
      input: `users:\n  a:\n    password: ${hash}\n    grops: [x]`,
      want: [/^4:5 users\.a\.grops: unknown key; did you mean "groups"\?$/],
    },
    {
      name: 'a missing password',
      input: 'users:\n  a:\n    groups: [x]',
      want: [/^2:3 users\.a\.password: required, but missing$/],
    },
    {
      name: 'a plain password',
      input: 'users:\n  a:\n    password: secret',
      want: [/^3:5 users\.a\.password: is a plain or DES-crypt password/],
    },
    {
      name: 'a group that is not a string',
      input: `users:\n  a:\n    password: ${hash}\n    groups: [dev, 5]`,
      want: [/^4:19 users\.a\.groups\[1\]: must be a text/],
    },
    {
      name: 'a user twice',
      input: `users:\n  a: { password: '${hash}' }\n  a: { password: '${hash}' }`,
      want: [/^3:3 "a" is also in line 2/],
    },
    {
      name: 'a user twice, in NFC and NFD',
      input: `users:\n  \u00fc: { password: '${hash}' }\n  u\u0308: { password: '${hash}' }`,
      want: [/^3:3 users\["u\u0308"\]: "\u00fc" is in this file twice$/],
    },
    {
      name: 'names that Basic could never deliver',
      input: `users:\n  "a:b": { password: '${hash}' }\n  "a\\tb": { password: '${hash}' }`,
      want: [/^2:3 .*cannot hold a colon/, /^3:3 .*control characters/],
    },
    {
      name: 'several problems at once',
      input: 'users:\n  a: { password: x }\n  b: { password: "{SHA}x" }',
      want: [/^2:8 users\.a\.password: is a plain/, /^3:8 users\.b\.password: is a SHA-1/],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`reports ${name}`, async () => assertProblems(await problemsIn(FILE, input), want))
  }
})

describe('an htpasswd file', () => {
  const FILE = '/etc/users.htpasswd'

  it('yields users without groups', async () => {
    assert.deepEqual(await verify(FILE, `alice:${bcrypt}\n`, 'alice'), {
      outcome: 'verified',
      user: { user: 'alice', groups: [], extra: {} },
    })
  })

  it('may have comments, empty lines and CRLF', async () => {
    const text = `# staff\r\n\r\nalice:${bcrypt}\r\n  bob:${hash}  \r\n#eve:x`
    assert.equal((await verify(FILE, text, 'alice')).outcome, 'verified')
    assert.equal((await verify(FILE, text, 'bob')).outcome, 'verified')
    assert.equal((await verify(FILE, text, 'eve')).outcome, 'unknown-user')
  })

  it('finds a name in NFD by the same name in NFC', async () => {
    const { outcome } = await verify(FILE, `ju\u0308rgen:${hash}`, 'j\u00fcrgen')
    assert.equal(outcome, 'verified')
  })

  const CASES: readonly { name: string; input: string; want: readonly RegExp[] }[] = [
    { name: 'a file without users', input: '', want: [/^- holds no users$/] },
    { name: 'comments only', input: '# alice\n\n', want: [/^- holds no users$/] },
    {
      name: 'a line without a colon',
      input: `a:${hash}\nbob`,
      want: [/^2:1 must be "user:hash"$/],
    },
    { name: 'a line without a user', input: `:${hash}`, want: [/^1:1 must be "user:hash"$/] },
    {
      name: 'a plain password',
      input: 'alice:secret',
      want: [/^1:7 the password of "alice" is a plain or DES-crypt password/],
    },
    {
      name: 'an MD5 hash behind space',
      input: '\n  bob:$apr1$abc$KrmnExgXbvW4C3vgL5uLt.',
      want: [/^2:7 the password of "bob" is an MD5 hash/],
    },
    {
      name: 'a user twice',
      input: `a:${hash}\nb:${hash}\na:${hash}`,
      want: [/^3:1 "a" is in this file twice$/],
    },
    {
      name: 'a user twice, in NFC and NFD',
      input: `\u00fc:${hash}\nu\u0308:${hash}`,
      want: [/^2:1 "\u00fc" is in this file twice$/],
    },
    {
      name: 'a control character in a name',
      input: `a\tb:${hash}`,
      want: [/^1:1 a user name cannot hold a colon or control characters$/],
    },
    {
      name: 'several problems at once',
      input: 'a:x\nb\nc:{SHA}x',
      want: [/^1:3 .*plain/, /^2:1 must be/, /^3:3 .*SHA-1/],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`reports ${name}`, async () => assertProblems(await problemsIn(FILE, input), want))
  }

  it('never repeats a plain password in a problem', async () => {
    const problems = await problemsIn(FILE, 'alice:Tr0ub4dor&3\nTr0ub4dor&3')
    assert.equal(problems.length, 2)
    assert.doesNotMatch(problems.join(), /Tr0ub4dor/)
  })
})

describe('the generation of a users file', () => {
  const generationOf = async (text: string): Promise<string> =>
    (await parse('/etc/users.htpasswd', text)).generation

  it('is the same for the same text', async () => {
    assert.equal(await generationOf(`a:${hash}`), await generationOf(`a:${hash}`))
  })

  it('differs by any change', async () => {
    const texts = [`a:${hash}`, `a:${hash}\n`, `b:${hash}`, `a:${bcrypt}`]
    const generations = await Promise.all(texts.map(generationOf))
    assert.equal(new Set(generations).size, texts.length)
  })
})
