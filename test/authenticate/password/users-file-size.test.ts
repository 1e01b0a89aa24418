// A users file of 10,000 users: read without keeping the event loop, on which checks wait meanwhile.
//
// Slow: it reads documents of many thousand lines.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import { ConfigurationError } from '../../../src/config/problem.ts'
import { CALLER } from '../../fakes/caller.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { longestTurn } from '../../fakes/longest-turn.ts'

const USERS = 10_000
// At once it takes 500 ms. A turn is 4 ms and the garbage collection that falls into it.
const LONGEST_MS = 100

const hash = await cheapHash('secret')

const FILES: Readonly<Record<string, (index: number, groups: string) => string>> = {
  '/etc/users.yaml': (index, groups) =>
    `  user${index}:\n    password: ${hash}\n    groups: ${groups}\n    uid: "${index}"\n`,
  '/etc/users.htpasswd': (index) => `user${index}:${hash}\n`,
}

const textOf = (file: string, groups = '[dev, ops]'): string => {
  const line = FILES[file]
  const lines = Array.from({ length: USERS }, (_, index) => line?.(index, groups))
  return `${file.endsWith('yaml') ? 'users:\n' : ''}${lines.join('')}`
}

describe(`a file of ${USERS} users`, () => {
  for (const file of Object.keys(FILES)) {
    it(`is read in short turns: ${file}`, async () => {
      const { result, longest } = await longestTurn(() =>
        UsersFile.parse(file, textOf(file), new HashPool()),
      )
      const { outcome } = await result.verify(`user${USERS - 1}`, 'secret', CALLER)
      assert.equal(outcome, 'verified')
      assert.ok(longest < LONGEST_MS, `${longest} ms`)
    })
  }

  it('is refused in short turns, with every position', async () => {
    const file = '/etc/users.yaml'
    const { result, longest } = await longestTurn(async () => {
      try {
        return await UsersFile.parse(file, textOf(file, '[5]'), new HashPool())
      } catch (cause) {
        return cause
      }
    })
    assert.ok(result instanceof ConfigurationError)
    assert.equal(result.problems.length, USERS)
    for (const [index, { position }] of result.problems.entries()) {
      assert.deepEqual(position, { line: index * 4 + 4, column: 14 })
    }
    assert.ok(longest < LONGEST_MS, `${longest} ms`)
  })
})
