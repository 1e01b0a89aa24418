// The time of a verification must not reveal which user names a users file has.
//
// It compares CPU time, so it does not matter what else the machine does.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool, type PasswordHash } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import { CALLER } from '../../fakes/caller.ts'
import { argon2idHash } from '../../fakes/hashes.ts'
import { median } from '../../fakes/cpu-time.ts'

/** Records the hashes that it verifies, and takes no time. */
class NotingPool extends HashPool {
  readonly verified: string[] = []

  override async verify({ text }: PasswordHash): Promise<boolean> {
    this.verified.push(text)
    return false
  }
}

const usersFile = async (
  users: Readonly<Record<string, string>>,
  pool: HashPool = new HashPool(),
): Promise<UsersFile> => {
  const lines = Object.entries(users).map(([name, hash]) => `${name}:${hash}`)
  return await UsersFile.parse('/etc/users.htpasswd', lines.join('\n'), pool)
}

/** CPU time of all threads, of which the pool verifies hashes, in milliseconds. */
const timeOf = async (file: UsersFile, user: string): Promise<number> => {
  const started = process.cpuUsage()
  await file.verify(user, 'wrong', CALLER)
  const { user: own, system } = process.cpuUsage(started)
  return (own + system) / 1_000
}

// Real costs, so that the duration is that of the hash and not of the scheduler.
const MEMORY_KIB = 19_456
const PASSES = 2

describe('an unknown user', () => {
  it('takes as long as a known user', async () => {
    const file = await usersFile({
      alice: await argon2idHash('secret', MEMORY_KIB, PASSES),
      bob: await argon2idHash('secret', MEMORY_KIB, PASSES),
    })
    const known: number[] = []
    const unknown: number[] = []
    for (let round = 0; round < 25; round++) {
      known.push(await timeOf(file, round % 2 === 0 ? 'alice' : 'bob'))
      unknown.push(await timeOf(file, `stranger${round}`))
    }
    const difference = Math.abs(median(known) - median(unknown)) / median(known)
    assert.ok(difference < 0.5, `${median(known)} ms known, ${median(unknown)} ms unknown`)
  })

  it('is verified against the hash of a known user, always the same one, where costs differ', async () => {
    const hashes = await Promise.all([8, 16, 64, MEMORY_KIB].map((kib) => argon2idHash('x', kib)))
    const users = hashes.map((hash, index): [string, string] => [`user${index}`, hash])
    const pool = new NotingPool()
    const file = await usersFile(Object.fromEntries(users), pool)
    const strangers = Array.from({ length: 100 }, (_, index) => `stranger${index}`)
    const costs = async (): Promise<readonly string[]> => {
      await Promise.all(strangers.map((stranger) => file.verify(stranger, 'wrong', CALLER)))
      return pool.verified.splice(0)
    }
    const first = await costs()
    assert.equal(first.length, strangers.length)
    assert.deepEqual(await costs(), first)
    // Each unknown user has the hash of a known one: the probability that one hash is never chosen is 1 in 10^12.
    assert.deepEqual(new Set(first), new Set(hashes))
  })

  it('is unknown even with the password of the user whose hash it borrows', async () => {
    const file = await usersFile({ alice: await argon2idHash('secret', 8) })
    assert.equal((await file.verify('stranger', 'secret', CALLER)).outcome, 'unknown-user')
  })
})
