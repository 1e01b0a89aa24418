// Which stored hashes are accepted, and how the pool verifies them without blocking the event loop.

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { HashPool, makeHash, readHash } from '../../../src/authenticate/password/hash.ts'
import { CALLER, callerUntil } from '../../fakes/caller.ts'
import { argon2idHash, bcryptHashOf, cheapHash } from '../../fakes/hashes.ts'

const SALT = 'c29tZXNhbHRzYWx0'
const OUTPUT = 'A'.repeat(43)
const argon2 = (parameters: string, salt = SALT, output = OUTPUT): string =>
  `$argon2id$v=19$${parameters}$${salt}$${output}`
const bcrypt = (prefix: string): string => `${prefix}$${'.'.repeat(53)}`

describe('readHash accepts', () => {
  const CASES = [
    { name: 'argon2id', input: argon2('m=19456,t=2,p=1'), want: 'argon2id' },
    { name: 'argon2id with the least cost', input: argon2('m=8,t=1,p=1'), want: 'argon2id' },
    { name: 'argon2id with the highest', input: argon2('m=1048576,t=20,p=4'), want: 'argon2id' },
    { name: 'bcrypt 2a', input: bcrypt('$2a$10'), want: 'bcrypt' },
    { name: 'bcrypt 2b', input: bcrypt('$2b$12'), want: 'bcrypt' },
    { name: 'bcrypt 2y, as htpasswd writes', input: bcrypt('$2y$05'), want: 'bcrypt' },
    { name: 'bcrypt with the least cost', input: bcrypt('$2b$04'), want: 'bcrypt' },
    { name: 'bcrypt with the highest', input: bcrypt('$2b$16'), want: 'bcrypt' },
  ]
  for (const { name, input, want } of CASES) {
    it(`accepts a password hash of ${name}`, () =>
      assert.deepEqual(readHash(input), { ok: true, hash: { kind: want, text: input } }))
  }
})

describe('readHash refuses', () => {
  const CASES = [
    { name: 'a plain password', input: 'secret', want: /^is a plain or DES-crypt password/ },
    { name: 'nothing', input: '', want: /^is a plain or DES-crypt password/ },
    { name: 'DES crypt', input: 'rqXexS6ZhobKA', want: /^is a plain or DES-crypt password/ },
    { name: 'SHA-1', input: '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', want: /^is a SHA-1 hash/ },
    { name: 'SHA-1 in lower case', input: '{sha}W6ph5Mm5Pz8GgiULbPg=', want: /^is a SHA-1 hash/ },
    {
      name: 'salted SHA-1',
      input: '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgd',
      want: /^is a salted SHA-1/,
    },
    { name: 'Apache MD5', input: '$apr1$abc$KrmnExgXbvW4C3vgL5uLt.', want: /^is an MD5 hash/ },
    { name: 'MD5 crypt', input: '$1$abc$KrmnExgXbvW4C3vgL5uLt.', want: /^is an MD5 hash/ },
    { name: 'SHA-256 crypt', input: '$5$salt$Gcm6FsVtF', want: /^is a SHA-crypt hash/ },
    { name: 'SHA-512 crypt', input: '$6$salt$Gcm6FsVtF', want: /^is a SHA-crypt hash/ },
    {
      name: 'argon2i',
      input: argon2('m=8,t=1,p=1').replace('argon2id', 'argon2i'),
      want: /^is argon2i or argon2d; only argon2id is accepted/,
    },
    { name: 'argon2d', input: '$argon2d$v=19$m=8,t=1,p=1$x$y', want: /^is argon2i or argon2d/ },
    { name: 'yescrypt', input: '$y$j9T$abc$def', want: /^is not an argon2id or bcrypt hash/ },
    { name: 'scrypt', input: '$7$abc$def', want: /^is not an argon2id or bcrypt hash/ },
    { name: 'bcrypt 2x', input: bcrypt('$2x$10'), want: /^is not an argon2id or bcrypt hash/ },
    { name: 'bcrypt cut short', input: bcrypt('$2b$10').slice(0, -1), want: /^is not an argon2id/ },
    { name: 'bcrypt with a tail', input: `${bcrypt('$2b$10')}.`, want: /^is not an argon2id/ },
    {
      name: 'bcrypt with a line break',
      input: `${bcrypt('$2b$10')}\n`,
      want: /^is not an argon2id/,
    },
    {
      name: 'bcrypt above the affordable',
      input: bcrypt('$2b$17'),
      want: /^has a bcrypt cost above 16/,
    },
    { name: 'bcrypt for a month', input: bcrypt('$2b$31'), want: /^has a bcrypt cost above 16/ },
    {
      name: 'argon2id of an old version',
      input: argon2('m=8,t=1,p=1').replace('19', '16'),
      want: /^is no/,
    },
    {
      name: 'argon2id without output',
      input: argon2('m=8,t=1,p=1', SALT, ''),
      want: /^is not an argon2id/,
    },
    {
      name: 'argon2id with a tail',
      input: `${argon2('m=8,t=1,p=1')}$x`,
      want: /^is not an argon2id/,
    },
    {
      name: 'argon2id in another order',
      input: argon2('t=1,m=8,p=1'),
      want: /^is not an argon2id/,
    },
    {
      name: 'argon2id of 2 GiB',
      input: argon2('m=2097152,t=1,p=1'),
      want: /^asks for more than 1 GiB/,
    },
    { name: 'argon2id of 21 passes', input: argon2('m=8,t=21,p=1'), want: /^asks for more than/ },
    {
      name: 'argon2id of 99999999 KiB',
      input: argon2('m=99999999,t=1,p=1'),
      want: /^is not an argon2id/,
    },
    // Verifying the following hashes always fails: their users would receive "unavailable" at every login.
    { name: 'argon2id of no memory', input: argon2('m=0,t=1,p=1'), want: /^is not an argon2id/ },
    { name: 'argon2id of no passes', input: argon2('m=64,t=0,p=1'), want: /^is not an argon2id/ },
    { name: 'argon2id of no lanes', input: argon2('m=64,t=1,p=0'), want: /^is not an argon2id/ },
    { name: 'argon2id of less than 8 KiB a lane', input: argon2('m=31,t=1,p=4'), want: /^is no/ },
    {
      name: 'argon2id with a salt that is not base64',
      input: argon2('m=8,t=1,p=1', 'A'.repeat(13)),
      want: /^is no/,
    },
    {
      name: 'argon2id with output that is not base64',
      input: argon2('m=8,t=1,p=1', SALT, 'A'.repeat(45)),
      want: /^is no/,
    },
    {
      name: 'bcrypt below the least cost',
      input: bcrypt('$2b$03'),
      want: /^is not an argon2id or bcrypt/,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`refuses a password hash: ${name}`, () => {
      const reading = readHash(input)
      assert.ok(!reading.ok)
      assert.match(reading.message, want)
      assert.match(reading.message, /: make a new entry with "countersign hash-password"$/)
      // The message goes to logs: it must not repeat a plain password.
      assert.ok(input === '' || !reading.message.includes(input))
    })
  }
})

const verify = async (text: string, password: string, pool = new HashPool()): Promise<boolean> => {
  const reading = readHash(text)
  assert.ok(reading.ok)
  return await pool.verify(reading.hash, password, CALLER)
}

describe('makeHash', () => {
  for (const kind of ['argon2id', 'bcrypt'] as const) {
    it(`makes ${kind} that is accepted and verified`, async () => {
      const text = await makeHash(kind, 'pässword')
      assert.ok(await verify(text, 'pässword'))
      assert.ok(!(await verify(text, 'password')))
    })
  }

  it('uses at least the parameters that OWASP recommends', async () => {
    assert.match(await makeHash('argon2id', 'secret'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    assert.match(await makeHash('bcrypt', 'secret'), /^\$2[aby]\$12\$/)
  })
})

describe('the pool', () => {
  for (const variant of ['2a', '2b', '2y'] as const) {
    it(`verifies bcrypt ${variant}`, async () => {
      const text = await bcryptHashOf('secret', variant)
      assert.ok(await verify(text, 'secret'))
      assert.ok(!(await verify(text, 'Secret')))
    })
  }

  const HEAVY = [
    { name: 'argon2id', make: () => argon2idHash('secret', 131_072, 2) },
    { name: 'bcrypt', make: () => bcryptHashOf('secret', '2b', 12) },
  ]
  for (const { name, make } of HEAVY) {
    it(`lets timers run while it verifies ${name}`, async () => {
      const text = await make()
      let ticks = 0
      const timer = setInterval(() => (ticks += 1), 5)
      const started = performance.now()
      assert.ok(await verify(text, 'secret'))
      const elapsed = performance.now() - started
      clearInterval(timer)
      assert.ok(elapsed > 50, `too quick to tell: ${elapsed} ms`)
      assert.ok(ticks > elapsed / 25, `${ticks} ticks in ${elapsed} ms`)
    })
  }
})

describe('a full pool', () => {
  // One core is left to the event loop, and 128 verifications may wait.
  const RUNNING = Math.max(1, availableParallelism() - 1)
  const WAITING = 128

  it('refuses with overloaded, and recovers', async () => {
    const pool = new HashPool()
    const text = await cheapHash('secret')
    const accepted = Array.from({ length: RUNNING + WAITING }, () => verify(text, 'secret', pool))
    await assert.rejects(verify(text, 'secret', pool), { code: 'overloaded' })
    assert.ok((await Promise.all(accepted)).every(Boolean))
    assert.ok(await verify(text, 'secret', pool))
  })

  it('hostile: verifies for a source with one password before a source with a hundred', async () => {
    const pool = new HashPool()
    const reading = readHash(await cheapHash('secret'))
    assert.ok(reading.ok)
    const order: string[] = []
    const show = async (source: string): Promise<void> => {
      await pool.verify(reading.hash, 'secret', { ...CALLER, source })
      order.push(source)
    }
    const flood = Array.from({ length: 100 }, () => show('198.51.100.1'))
    await Promise.all([...flood, show('203.0.113.7')])
    const place = order.indexOf('203.0.113.7')
    assert.ok(place <= 2 * RUNNING + 1, `after ${place} others`)
  })

  it('skips a cancelled verification, and continues with the next', async () => {
    const pool = new HashPool()
    const reading = readHash(await cheapHash('secret'))
    assert.ok(reading.ok)
    const running = Array.from({ length: RUNNING }, () =>
      pool.verify(reading.hash, 'secret', CALLER),
    )
    const leaving = new AbortController()
    const left = pool.verify(reading.hash, 'secret', callerUntil(leaving.signal))
    const next = pool.verify(reading.hash, 'secret', CALLER)
    leaving.abort(new Error('gone'))
    await assert.rejects(left, /gone/)
    assert.ok(await next)
    assert.ok((await Promise.all(running)).every(Boolean))
  })

  it('does not begin a verification that is already cancelled', async () => {
    const reading = readHash(await cheapHash('secret'))
    assert.ok(reading.ok)
    const verification = new HashPool().verify(
      reading.hash,
      'secret',
      callerUntil(AbortSignal.abort()),
    )
    await assert.rejects(verification, { name: 'AbortError' })
  })

  it('frees its slot when verifying fails', async () => {
    const pool = new HashPool()
    const broken = { kind: 'argon2id', text: '$argon2id$nonsense' } as const
    const text = await cheapHash('secret')
    const outcomes = await Promise.allSettled(
      Array.from({ length: RUNNING * 3 }, () => pool.verify(broken, 'secret', CALLER)),
    )
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
    assert.ok(await verify(text, 'secret', pool))
  })
})
