// State in a file, opened as authz opens it: what is made, what stays, and who can read it.

import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { AttemptScope } from '../../../src/state/attempt-store.ts'
import { newStateKeyLine } from '../../../src/state/state-secret.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { fileSettings, opened } from '../opening.ts'
import { secretOf } from '../sealing.ts'

const LONG = 60_000

const scope = (key: string): AttemptScope => ({
  key,
  pace: { attempts: 3, backOff: 1_000, lockAfter: 5, lockFor: LONG, forget: LONG },
  binding: true,
  weight: 1,
})

describe('a state file that is not there', () => {
  it('is made, with its folder and its secret, for its owner alone', async () => {
    await using folder = await temporaryFolder()
    const file = join(folder.path, 'a/b/state.db')
    await using state = await opened(fileSettings(file))
    assert.deepEqual([state.store.kind, state.store.name], ['sqlite', file])
    const modeOf = async (path: string): Promise<string> =>
      ((await stat(path)).mode & 0o777).toString(8)
    assert.equal(await modeOf(join(folder.path, 'a/b')), '700')
    const files = await readdir(join(folder.path, 'a/b'))
    assert.deepEqual(files.toSorted(), [
      'state.db',
      'state.db-shm',
      'state.db-wal',
      'state.db.secret',
    ])
    for (const name of files) {
      assert.equal(await modeOf(join(folder.path, 'a/b', name)), '600', name)
    }
  })

  it('has one secret, however many processes make it at once', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    const states = await Promise.all(Array.from({ length: 8 }, () => opened(fileSettings(file))))
    await states[0]?.state.records.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    for (const { state } of states) {
      assert.equal((await state.records.get('a'))?.text, 'x')
    }
    await Promise.all(states.map((state) => state[Symbol.asyncDispose]()))
    assert.match(await readFile(`${file}.secret`, 'utf8'), /^[\w-]{43}\n$/)
    const left = (await readdir(folder.path)).filter((name) => name.includes('secret'))
    assert.deepEqual(left, ['state.db.secret'])
  })
})

describe('a restart', () => {
  it('ends nothing: records, sets, counts, notes and uses are there, and age meanwhile', async () => {
    await using folder = await temporaryFolder()
    const settings = fileSettings(folder.file('state.db'))
    const clock = new FakeClock()
    const until = clock.now() + LONG
    {
      await using before = await opened(settings, clock)
      const { records, attempts, replays, keys } = before.state
      await records.put('session', { text: 'alice', kind: 'login', lifetime: LONG }, ['of alice'])
      await records.put('short', { text: 'x', kind: 'login', lifetime: 1_000 })
      for (let count = 0; count < 3; count += 1) {
        await attempts.take([scope(keys.of('alice'))])
      }
      await attempts.remember({ key: keys.of('n'), text: 'noted', lifetime: LONG, retained: false })
      assert.equal((await replays.use('proof', until)).outcome, 'first')
    }
    clock.advance(500)
    {
      await using after = await opened(settings, clock)
      const { records, attempts, replays, keys } = after.state
      assert.deepEqual(await records.get('session'), { text: 'alice', lifetime: LONG - 500 })
      assert.deepEqual(await records.keysIn('of alice'), ['session'])
      assert.equal((await records.get('short'))?.lifetime, 500)
      const result = await attempts.take([scope(keys.of('alice'))])
      assert.deepEqual(result, { outcome: 'wait', waits: [500] })
      assert.deepEqual(await attempts.recall([keys.of('n')]), [{ text: 'noted', age: 500 }])
      assert.equal((await replays.use('proof', until)).outcome, 'repeated')
    }
  })
})

describe('two processes with one file', () => {
  it('count guesses together: what one counts lets the other wait', async () => {
    await using folder = await temporaryFolder()
    const settings = fileSettings(folder.file('state.db'))
    const clock = new FakeClock()
    await using one = await opened(settings, clock)
    await using other = await opened(settings, clock)
    const failIn = async ({ state }: typeof one) => {
      const result = await state.attempts.take([scope(state.keys.of('alice'))])
      if (result.outcome === 'wait') return result.waits[0]
      await state.attempts.settle(
        result.reservations.map((reservation) => ({ reservation, failures: 1 })),
      )
      return 0
    }
    assert.deepEqual([await failIn(one), await failIn(other), await failIn(one)], [0, 0, 0])
    assert.deepEqual([await failIn(other), await failIn(one)], [1_000, 1_000])
    clock.advance(1_000)
    assert.equal(await failIn(other), 0)
    clock.advance(2_000)
    assert.equal(await failIn(one), 0)
    assert.equal(await failIn(other), LONG) // locked out
  })
})

describe('the bytes of a state file', () => {
  it('show other users nothing', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    await using state = await opened(fileSettings(file))
    const { records, attempts, replays, keys } = state.state
    const text = 'the-very-secret-refresh-token'
    await records.put('session-of-alice', { text, kind: 'login', lifetime: LONG }, [
      'everything-of-alice',
    ])
    await records.replace('session-of-alice', text, { text: `${text}-2`, lifetime: LONG })
    await attempts.take([scope(keys.of('alice'))])
    const key = keys.of('refused', 'alice', 'her-password')
    await attempts.remember({ key, text: 'the-note-about-alice', lifetime: LONG, retained: true })
    await replays.use('proof-of-alice', Date.now() + LONG)
    const bytes = Buffer.concat([await readFile(file), await readFile(`${file}-wal`)])
    assert.ok(bytes.includes(key)) // it is the right file
    for (const word of ['alice', 'refresh', 'session', 'password', 'the-note', 'proof']) {
      assert.ok(!bytes.includes(word), word)
      assert.ok(!bytes.includes(Buffer.from(word).toString('base64url').slice(0, -2)), word)
      assert.ok(!bytes.includes(Buffer.from(word, 'utf16le')), word)
    }
  })
})

describe('a state file with another secret', () => {
  const rejected = /state\.db.*sealed with another secret/

  it('stops the start', async () => {
    await using folder = await temporaryFolder()
    const settings = fileSettings(folder.file('state.db'))
    await (await opened(settings))[Symbol.asyncDispose]()
    await assert.rejects(opened({ ...settings, secret: secretOf() }), rejected)
    await rm(`${settings.file}.secret`)
    await assert.rejects(opened(settings), rejected)
  })

  it('does not when the old one follows the new one', async () => {
    await using folder = await temporaryFolder()
    const settings = fileSettings(folder.file('state.db'))
    {
      await using state = await opened(settings)
      await state.state.records.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    }
    const secret = await readFile(`${settings.file}.secret`, 'utf8')
    await writeFile(`${settings.file}.secret`, `${newStateKeyLine()}\n${secret}`)
    await using state = await opened(settings)
    assert.equal((await state.state.records.get('a'))?.text, 'x')
  })

  it('is distinguished from one that cannot be read', async () => {
    await using folder = await temporaryFolder()
    const settings = fileSettings(folder.file('state.db'))
    await writeFile(`${settings.file}.secret`, 'too short')
    await assert.rejects(opened(settings), /state\.db\.secret:1 is not a key/)
  })
})
