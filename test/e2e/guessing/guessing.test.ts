import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, valuesOf, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, eventually, PASSWORDS, startSite, type Site } from '../site.ts'

/** Long enough for the requests in between on a busy machine; the waits are those of real life. */
const LOCK_SECONDS = 12

const lockAfter = (failures: number) => ({
  attempts: failures,
  lockAfter: failures,
  lockFor: `${LOCK_SECONDS}s`,
  decay: `${LOCK_SECONDS}s`,
})

const GUARD = {
  userAndSource: lockAfter(3),
  source: lockAfter(8),
  repeats: { cacheTtl: '30s', countInterval: '5m' },
}

describe('password guessing, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    const staff = {
      basic: {
        realm: 'Site',
        verify: [{ users: { file: 'users.yaml' } }],
        bruteForceProtection: GUARD,
      },
    }
    site = await startSite({ authenticators: { staff } })
  })
  after(() => site[Symbol.asyncDispose]())

  const send = async (user: string, password: string, from = '127.0.0.1'): Promise<Answer> =>
    await http1({ ...site.target, from }, { path: '/x', headers: [basic(user, password)] })

  const status = async (...parts: Parameters<typeof send>): Promise<number> =>
    (await send(...parts)).status

  /** What a guesser sees, without what differs every time. These users must not have been tried before. */
  const guessesAt = async (user: string, from: string): Promise<readonly unknown[]> => {
    const answers: unknown[] = []
    for (const password of ['red', 'green', 'blue', 'black', 'white']) {
      const { status: got, headers, body } = await send(user, password, from)
      const names = headers.map(([name]) => name).toSorted()
      answers.push([got, names, body.replace(/Decision: \S+/, '')])
    }
    return answers
  }

  it('1. wrong passwords: 401, then 429 with Retry-After, also for the correct one', async () => {
    assert.equal(await status('alice', PASSWORDS.alice), 200)
    site.upstream.clear()
    const began = performance.now()
    for (const password of ['one', 'two', 'three']) {
      assert.equal(await status('alice', password), 401)
    }
    for (const password of ['four', PASSWORDS.alice, 'one']) {
      const answer = await send('alice', password)
      const passed = (performance.now() - began) / 1_000
      assert.equal(answer.status, 429)
      const [retryAfter, ...more] = valuesOf(answer, 'retry-after').map(Number)
      assert.deepEqual(more, [])
      assert.ok(retryAfter !== undefined && retryAfter <= LOCK_SECONDS)
      assert.ok(retryAfter >= LOCK_SECONDS - passed, `${retryAfter} s, ${passed} s after it began`)
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [])
      assert.match(answer.body, /^429 Too Many Requests\n\nToo many failed attempts\./)
    }
    assert.equal(site.upstream.requests.length, 0)
    const events = await site.events()
    const last = events.at(-1)
    const { decision, reason, user, source, userHash } = last ?? {}
    assert.deepEqual(
      { decision, reason, status: last?.status, user, source },
      {
        decision: 'deny',
        reason: 'too-many-attempts',
        status: 429,
        user: undefined, // it was not verified, so that it may be none
        source: '127.0.0.1',
      },
    )
    const wrong = events.find((event) => event.reason === 'credential-wrong')
    assert.deepEqual([wrong?.user, wrong?.userHash], ['alice', userHash])
    assert.match(site.authz.log, /"count":"userAndSource","user":"alice","address":"127\.0\.0\.1"/)
  })

  it('3. meanwhile other users at this address, and this user at another, are accepted', async () => {
    assert.equal(await status('bob', PASSWORDS.bob), 200)
    assert.equal(await status('alice', PASSWORDS.alice, '127.0.0.2'), 200)
    assert.equal(await status('alice', PASSWORDS.alice), 429)
  })

  it('4. after the lock-out the correct password is accepted', async () => {
    await eventually(
      () => status('alice', PASSWORDS.alice),
      (got) => got === 200,
      (LOCK_SECONDS + 5) * 1_000,
    )
  })

  it('2. an unknown user gets the same answers, guess by guess', async () => {
    const known = await guessesAt('alice', '127.0.1.1')
    const unknown = await guessesAt('nobody', '127.0.1.2')
    assert.deepEqual(unknown, known)
    assert.doesNotMatch(site.authz.log, /nobody/)
  })

  it('5. the same wrong password repeated counts once', async () => {
    for (let count = 0; count < 10; count += 1) {
      assert.equal(await status('bob', 'last year’s', '127.0.2.1'), 401)
    }
    assert.equal(await status('bob', PASSWORDS.bob, '127.0.2.1'), 200)
  })

  it('6. many names from one address: the address is locked out, but not its earlier users', async () => {
    const from = '127.0.3.1'
    assert.equal(await status('bob', PASSWORDS.bob, from), 200)
    const names = Array.from({ length: 20 }, (_, index) => `user${index}`)
    const got: number[] = []
    for (const name of names) got.push(await status(name, 'Winter2026', from))
    assert.deepEqual(got.slice(0, 8), Array(8).fill(401))
    assert.deepEqual(new Set(got.slice(-8)), new Set([429]))
    assert.equal(await status('alice', PASSWORDS.alice, from), 429)
    assert.equal(await status('bob', PASSWORDS.bob, from), 200)
  })

  it('7. lock-outs outlive a reload', async () => {
    const from = '127.0.4.1'
    for (const password of ['a', 'b', 'c']) await status('jürgen', password, from)
    site.authz.signal('SIGHUP')
    await eventually(
      async () => site.authz.log,
      (log) => log.includes('configuration loaded'),
    )
    assert.equal(await status('jürgen', PASSWORDS.jürgen, from), 429)
  })
})
