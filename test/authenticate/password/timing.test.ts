// The time that a users file takes must not tell which names it holds.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import { argon2idHash } from '../../fakes/hashes.ts'

const FOREVER = new AbortController().signal

const usersFile = (users: Readonly<Record<string, string>>): UsersFile => {
  const lines = Object.entries(users).map(([name, hash]) => `${name}:${hash}`)
  return UsersFile.parse('/etc/users.htpasswd', lines.join('\n'), new HashPool())
}

const timeOf = async (file: UsersFile, user: string): Promise<number> => {
  const started = performance.now()
  await file.verify(user, 'wrong', FOREVER)
  return performance.now() - started
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

// Real costs, so that what is measured is not the scheduler.
const MEMORY_KIB = 19_456
const PASSES = 2

describe('an unknown user', () => {
  it('takes as long as a known one', async () => {
    const file = usersFile({
      alice: await argon2idHash('secret', MEMORY_KIB, PASSES),
      bob: await argon2idHash('secret', MEMORY_KIB, PASSES),
    })
    const known: number[] = []
    const unknown: number[] = []
    for (let round = 0; round < 25; round++) {
      // oxlint-disable-next-line no-await-in-loop -- by turns, so that both see the same load
      known.push(await timeOf(file, round % 2 === 0 ? 'alice' : 'bob'))
      // oxlint-disable-next-line no-await-in-loop -- by turns, so that both see the same load
      unknown.push(await timeOf(file, `stranger${round}`))
    }
    const difference = Math.abs(median(known) - median(unknown)) / median(known)
    assert.ok(difference < 0.5, `${median(known)} ms known, ${median(unknown)} ms unknown`)
  })

  it('takes as long as some known one where costs differ, and always the same', async () => {
    const file = usersFile({
      cheap: await argon2idHash('secret', 8),
      dear: await argon2idHash('secret', MEMORY_KIB, PASSES),
    })
    /** Load only ever adds time, so the least of several is the true one. */
    const least = async (user: string): Promise<number> => {
      const times: number[] = []
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      for (let round = 0; round < 8; round++) times.push(await timeOf(file, user))
      return Math.min(...times)
    }
    const cheap = await least('cheap')
    const dear = await least('dear')
    assert.ok(cheap < dear / 3, `${cheap} ms and ${dear} ms cannot be told apart`)
    const costs = new Map<string, 'cheap' | 'dear'>()
    for (const pass of ['first', 'second']) {
      for (let index = 0; index < 8; index++) {
        const user = `stranger${index}`
        // oxlint-disable-next-line no-await-in-loop -- one at a time
        const time = await least(user)
        assert.ok(time < dear * 1.5, `${user}: ${time} ms, more than any known user`)
        const cost = time < Math.sqrt(cheap * dear) ? 'cheap' : 'dear'
        if (cost === 'dear') assert.ok(time > dear / 1.5, `${user}: ${time} ms is between the two`)
        if (pass === 'second') assert.equal(cost, costs.get(user), `${user} took another time`)
        costs.set(user, cost)
      }
    }
    // 2 in 2^8 that chance gives all strangers one cost, which would not be wrong either.
    assert.equal(costs.size, 8)
  })
})
