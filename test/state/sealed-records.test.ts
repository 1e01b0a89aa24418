// Records in a store that an attacker can read and write: what they see, and the effect of what they write.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CountersignError } from '../../src/runtime/errors.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import type { NewRecord, RecordStore } from '../../src/state/record-store.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { FakeClock } from '../fakes/clock.ts'
import { recordStoreConformance } from './record-conformance.ts'
import { sealedBy, sealedPair, secretOf } from './sealing.ts'

recordStoreConformance('a sealed store', async () => {
  const clock = new FakeClock()
  const inner = new MemoryRecords(clock)
  return {
    stores: await sealedPair(inner, inner),
    pass: async (milliseconds) => clock.advance(milliseconds),
    isExact: true,
  }
})

/** A store that an attacker reads, and writes into. */
class Watched extends MemoryRecords {
  readonly seen: string[] = []
  readonly written = new Map<string, NewRecord>()

  constructor() {
    super(new FakeClock())
  }

  override async put(key: string, record: NewRecord, indexes: readonly string[] = []) {
    this.seen.push(key, record.text, ...indexes)
    this.written.set(key, record)
    await super.put(key, record, indexes)
  }
}

const LONG = 60_000
const [old, next] = [newStateKeyLine(), newStateKeyLine()]

const setUp = async (inner: RecordStore = new Watched()) => {
  let unopened = 0
  const store = await sealedBy(inner, secretOf(old), () => (unopened += 1))
  return { store, unopened: () => unopened }
}

describe('an attacker who reads the store', () => {
  it('sees neither keys nor texts nor sets', async () => {
    const inner = new Watched()
    const { store } = await setUp(inner)
    await store.put(
      'session-of-alice',
      { text: 'her refresh token', kind: 'login', lifetime: LONG },
      ['alice'],
    )
    assert.equal(inner.seen.length, 3)
    for (const text of inner.seen) {
      assert.match(text, /^[\w-]{43,}$/)
      assert.doesNotMatch(text, /alice|token|session/)
      assert.doesNotMatch(Buffer.from(text, 'base64url').toString('latin1'), /alice|token|session/)
    }
  })
})

describe('an attacker who writes the store', () => {
  it('cannot give one key what another has (hostile)', async () => {
    const inner = new Watched()
    const { store, unopened } = await setUp(inner)
    await store.put('mallory', { text: 'mallory is admin', kind: 'login', lifetime: LONG })
    await store.put('alice', { text: 'alice', kind: 'login', lifetime: LONG })
    const [mallory, alice] = [...inner.written]
    assert.ok(mallory !== undefined && alice !== undefined)
    await inner.put(alice[0], mallory[1])
    assert.equal(await store.get('alice'), undefined)
    assert.equal(await store.take('alice'), undefined)
    assert.equal(unopened(), 2)
    assert.equal((await store.get('mallory'))?.text, 'mallory is admin')
  })

  it('cannot put a key into a set with what another has (hostile)', async () => {
    const inner = new Watched()
    const { store } = await setUp(inner)
    await store.put('a', { text: 'x', kind: 'login', lifetime: LONG }, ['s'])
    const [place, , set = ''] = inner.seen
    const record = inner.written.get(place ?? '')
    assert.ok(record !== undefined)
    await inner.put('another place', record, [set])
    assert.deepEqual(await store.keysIn('s'), ['a'])
  })

  it('turns a record into none, which is overwritten like any deleted one', async () => {
    const inner = new Watched()
    const { store } = await setUp(inner)
    await store.put('a', { text: 'x', kind: 'login', lifetime: LONG }, ['s'])
    const [place = ''] = inner.seen
    await inner.put(place, { text: 'not sealed', kind: 'login', lifetime: LONG })
    assert.equal(await store.get('a'), undefined)
    assert.equal(await store.replace('a', 'x', { text: 'y', lifetime: LONG }), false)
    await store.put('a', { text: 'again', kind: 'login', lifetime: LONG })
    assert.equal((await store.get('a'))?.text, 'again')
  })
})

describe('a revocation', () => {
  const revocable = async () => {
    const inner = new Watched()
    const [one, other] = [
      await sealedBy(inner, secretOf(old)),
      await sealedBy(inner, secretOf(old)),
    ]
    return { inner, one, other }
  }

  it('holds for a record that is put back, and for one that is written anew', async () => {
    const { inner, one } = await revocable()
    const record = { text: 'x', kind: 'login', lifetime: LONG } as const
    await one.put('a', record, ['s'])
    const [place = ''] = inner.seen
    const sealed = inner.written.get(place)
    assert.ok(sealed !== undefined)
    await one.revoke(['a'])
    assert.equal(await inner.get(place), undefined)
    for (const write of [() => inner.put(place, sealed), () => one.put('a', record, ['s'])]) {
      await write()
      assert.deepEqual([await one.get('a'), await one.keysIn('s')], [undefined, []])
      assert.equal(await one.replace('a', 'x', { text: 'y', lifetime: LONG }), false)
    }
    assert.equal(await one.take('a'), undefined)
    assert.ok(one.revokedAt('a') !== undefined)
    assert.equal(one.revokedAt('b'), undefined)
  })

  it('of everything holds for what was written before, and for nothing after', async () => {
    const { one, other } = await revocable()
    await one.put('before', { text: 'x', kind: 'login', lifetime: LONG })
    await one.revokeAll()
    await sleep(2)
    await one.put('after', { text: 'x', kind: 'login', lifetime: LONG })
    assert.equal(await one.get('before'), undefined)
    assert.equal((await other.get('after'))?.text, 'x')
  })

  it('of everything leaves what refuses where it is found', async () => {
    const { one, other } = await revocable()
    await one.put('sign-out', { text: 'x', kind: 'decisive', lifetime: LONG })
    await one.put('changed', { text: 'x', kind: 'decisive', lifetime: LONG })
    assert.equal(await one.replace('changed', 'x', { text: 'y', lifetime: LONG }), true)
    await one.revokeAll()
    assert.deepEqual(
      [(await one.get('sign-out'))?.text, (await other.get('changed'))?.text],
      ['x', 'y'],
    )
  })

  it('of everything holds for a record that was changed since', async () => {
    const { inner, one } = await revocable()
    await one.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    const [place = ''] = inner.seen
    await sleep(2)
    assert.equal(await one.replace('a', 'x', { text: 'y', lifetime: LONG }), true)
    const changed = await inner.get(place)
    assert.ok(changed !== undefined)
    await one.revokeAll()
    await inner.put(place, { ...changed, kind: 'login' })
    assert.equal(await one.get('a'), undefined)
  })
})

describe('texts of JavaScript', () => {
  it('are kept apart and kept whole also where they are not Unicode (hostile)', async () => {
    const { store } = await setUp()
    await store.put('\ud800', { text: 'a\udfff', kind: 'login', lifetime: LONG }, ['\ud800'])
    assert.equal(await store.get('\ud801'), undefined)
    assert.equal((await store.get('\ud800'))?.text, 'a\udfff')
    assert.deepEqual(await store.keysIn('\ud800'), ['\ud800'])
    assert.deepEqual(await store.keysIn('\ufffd'), [])
  })
})

describe('a store with another secret', () => {
  it('is refused before anything is done, and says what to do', async () => {
    const inner = new MemoryRecords(new FakeClock())
    const store = await sealedBy(inner, secretOf(old))
    await store.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    await assert.rejects(
      sealedBy(inner, secretOf(next)),
      (cause) =>
        cause instanceof CountersignError &&
        cause.code === 'configuration-invalid' &&
        /sealed with another secret.*keyring/.test(cause.message),
    )
    assert.equal((await store.get('a'))?.text, 'x')
  })

  it('is also one whose mark an attacker has changed (hostile)', async () => {
    const inner = new MemoryRecords(new FakeClock())
    await inner.put('countersign', { text: 'mine', kind: 'login', lifetime: LONG })
    await assert.rejects(sealedBy(inner, secretOf(old)), /sealed with another secret/)
  })
})

describe('the rotation of the secret', () => {
  it('loses nothing: names stay the same, and every process reads what every other writes', async () => {
    const inner = new MemoryRecords(new FakeClock())
    // Step by step, with the process of the step before still there.
    const rings = [[old], [old, next], [next, old], [next]]
    let before: RecordStore | undefined
    for (const [step, ring] of rings.entries()) {
      const now = await sealedBy(inner, secretOf(...ring))
      if (step > 0) assert.equal((await now.get(`${step - 1}`))?.text, `written at ${step - 1}`)
      await now.put(`${step}`, { text: `written at ${step}`, kind: 'login', lifetime: LONG }, [
        'all',
      ])
      if (before !== undefined)
        assert.equal((await before.get(`${step}`))?.text, `written at ${step}`)
      assert.equal(await now.add(`${step}`, { text: 'x', kind: 'login', lifetime: LONG }), false)
      before = now
    }
    // What the old key alone had sealed is lost with it; the rest is there.
    assert.deepEqual([...((await before?.keysIn('all')) ?? [])].toSorted(), ['2', '3'])
  })

  it('a rotation of the secret that begins with the new secret alone is refused', async () => {
    const inner = new MemoryRecords(new FakeClock())
    await sealedBy(inner, secretOf(old))
    await assert.rejects(sealedBy(inner, secretOf(next)), CountersignError)
    await sealedBy(inner, secretOf(next, old))
    await sealedBy(inner, secretOf(next))
    // And back again: what cannot be opened is taken for changed by an attacker.
    let rollbacks = 0
    await sealedBy(inner, secretOf(old), undefined, () => (rollbacks += 1))
    assert.equal(rollbacks, 1)
  })

  it('can be done many times', async () => {
    const inner = new MemoryRecords(new FakeClock())
    let latest = old
    const first = await sealedBy(inner, secretOf(latest))
    await first.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    for (let count = 0; count < 30; count += 1) {
      const newer = newStateKeyLine()
      await sealedBy(inner, secretOf(newer, latest))
      latest = newer
    }
    const last = await sealedBy(inner, secretOf(latest))
    assert.equal(await last.add('a', { text: 'y', kind: 'login', lifetime: LONG }), false)
    await assert.rejects(sealedBy(inner, secretOf(old)), CountersignError) // long ago
  })
})

describe('processes that begin at once', () => {
  it('have the same names', async () => {
    const inner = new MemoryRecords(new FakeClock())
    const ring = secretOf(old, next)
    const stores = await Promise.all(Array.from({ length: 10 }, () => sealedBy(inner, ring)))
    await stores[0]?.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    for (const store of stores) {
      assert.equal((await store.get('a'))?.text, 'x')
    }
  })

  it('have them also when the store is emptied under one of them', async () => {
    const first = new MemoryRecords(new FakeClock())
    const emptied = new MemoryRecords(new FakeClock())
    const ring = secretOf(old)
    let inner: RecordStore = first
    const switching: RecordStore = {
      put: (...args) => inner.put(...args),
      add: (...args) => inner.add(...args),
      replace: (...args) => inner.replace(...args),
      get: (key) => inner.get(key),
      take: (key) => inner.take(key),
      remove: (keys) => inner.remove(keys),
      keysIn: (index) => inner.keysIn(index),
      countIn: (index) => inner.countIn(index),
    }
    const running = await sealedBy(switching, ring)
    inner = emptied
    const starting = await sealedBy(emptied, ring)
    await running.put('a', { text: 'x', kind: 'login', lifetime: LONG })
    assert.equal((await starting.get('a'))?.text, 'x')
  })
})
