// A users file of arbitrary text: it is refused as a whole, or it authenticates only users of a complete line.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import { ConfigurationError } from '../../../src/config/problem.ts'
import { CALLER } from '../../fakes/caller.ts'
import { bcryptHashOf, cheapHash } from '../../fakes/hashes.ts'
import { randomFrom } from '../../fakes/random.ts'

const SEED = 20_260_101
const ROUNDS = 3_000

/** Accepts every password, so that only the file decides which users exist. */
class Gullible extends HashPool {
  override verify(): Promise<boolean> {
    return Promise.resolve(true)
  }
}

const hashes = [await cheapHash('secret'), await bcryptHashOf('secret', '2y')] as const
const NAMES = ['alice', 'bob', 'jürgen', 'Alice', 'a b', '-', '#x', 'e\u0301'] as const

const random = randomFrom(SEED)
const pick = <T>(list: readonly T[]): T | undefined => list[random(list.length)]

const PIECES = ['\n', '\r\n', ':', '::', '#', ' ', '\t', '\0', '$', '$2y$', '$argon2id$', '\u2028']

const line = (): string => `${pick(NAMES)}:${pick(hashes)}\n`

/** Some lines, with some of their characters changed, removed or doubled. */
const fileOf = (): string => {
  let text = Array.from({ length: random(4) }, line).join('')
  for (let change = random(4); change > 0; change--) {
    const at = random(text.length + 1)
    const lost = random(3) === 0 ? random(30) : 0
    text = text.slice(0, at) + (random(3) === 0 ? '' : (pick(PIECES) ?? '')) + text.slice(at + lost)
  }
  return text
}

const parse = async (text: string): Promise<UsersFile | undefined> => {
  try {
    return await UsersFile.parse('/etc/users.htpasswd', text, new Gullible())
  } catch (cause) {
    assert.ok(cause instanceof ConfigurationError, String(cause))
    assert.ok(cause.problems.length > 0)
    return undefined
  }
}

describe('an htpasswd file of arbitrary text', () => {
  it(`authenticates the users of complete lines, or is refused (seed ${SEED})`, async () => {
    let taken = 0
    for (let round = 0; round < ROUNDS; round++) {
      const text = fileOf()
      const users = await parse(text)
      if (users === undefined) continue
      taken += 1
      const lines = text.split('\n').map((one) => one.trim().normalize('NFC'))
      const names = [...NAMES, '', ...lines.map((one) => one.split(':', 1)[0] ?? '')]
      for (const name of names) {
        const { outcome } = await users.verify(name, 'x', CALLER)
        const own = lines.filter((one) => !one.startsWith('#') && one.startsWith(`${name}:`))
        const wanted = own.length === 1 && name !== '' ? 'verified' : 'unknown-user'
        assert.equal(outcome, wanted, JSON.stringify({ name, text }))
      }
    }
    // Most changes make a file invalid; the test needs enough valid ones.
    assert.ok(taken > ROUNDS / 20, `${taken} files were taken`)
  })
})
