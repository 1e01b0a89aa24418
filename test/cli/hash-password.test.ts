// `countersign hash-password`: its output goes into a users file as it is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../src/authenticate/password/users-file.ts'
import { CALLER } from '../fakes/caller.ts'
import { countersign } from './run.ts'

const outcomeOf = async (file: string, user: string, password: string): Promise<string> => {
  const users = await UsersFile.parse('/etc/users.htpasswd', file, new HashPool())
  return (await users.verify(user, password, CALLER)).outcome
}

describe('countersign hash-password', { concurrency: true }, () => {
  for (const algorithm of ['argon2id', 'bcrypt']) {
    it(`prints a line with ${algorithm} that a users file accepts`, async () => {
      const args = ['hash-password', '-a', algorithm, '-u', 'jürgen']
      const { status, stdout, stderr } = await countersign(args, 'pässwörd 😀\n')
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /^jürgen:\$(argon2id|2[aby])\$[^\n]+\n$/)
      assert.equal(await outcomeOf(stdout, 'jürgen', 'pässwörd 😀'), 'verified')
      assert.equal(await outcomeOf(stdout, 'jürgen', 'pässwörd 😀\n'), 'wrong-password')
    })
  }

  it('prints the hash only without a user, argon2id by default', async () => {
    const { stdout } = await countersign(['hash-password'], 'secret')
    assert.match(stdout, /^\$argon2id\$[^\n]+\n$/)
    assert.equal(await outcomeOf(`alice:${stdout}`, 'alice', 'secret'), 'verified')
  })

  it('normalizes decomposed letters, as HTTP Basic does', async () => {
    const { stdout } = await countersign(['hash-password', '-u', 'a'], 'e\u0301\r\n')
    assert.equal(await outcomeOf(stdout, 'a', '\u00e9'), 'verified')
  })

  const REFUSED: readonly { name: string; args: readonly string[]; input: string; says: RegExp }[] =
    [
      { name: 'an empty line', args: [], input: '\n', says: /the password is empty/ },
      { name: 'a tab', args: [], input: 'a\tb', says: /cannot hold control characters/ },
      {
        name: 'a user that would be a comment',
        args: ['-u', '#a'],
        input: 'x',
        says: /user of that name/,
      },
      { name: 'an empty user', args: ['-u', ''], input: 'x', says: /user of that name/ },
      {
        name: 'a password longer than bcrypt reads',
        args: ['-a', 'bcrypt'],
        input: 'x'.repeat(73),
        says: /bcrypt reads 72 bytes only: use argon2id/,
      },
    ]
  for (const { name, args, input, says } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const { status, stdout, stderr } = await countersign(['hash-password', ...args], input)
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, says)
      assert.match(stderr, /^countersign: [^\n]+\n$/)
    })
  }
})
