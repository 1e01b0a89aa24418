// How processes that share a store learn of each other's revocations, and what they do where the store
// went back to an earlier state.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { RecordSeal } from '../../src/state/record-seal.ts'
import { RevocationJournal, type Rollback } from '../../src/state/revocation-journal.ts'
import { RevocationMarks } from '../../src/state/revocation-marks.ts'
import { FakeClock } from '../fakes/clock.ts'
import { secretOf } from './sealing.ts'

/** A store that an attacker can copy and write. */
class Store extends MemoryRecords {
  readonly texts = new Map<string, string>()

  override async add(...args: Parameters<MemoryRecords['add']>): Promise<boolean> {
    const added = await super.add(...args)
    if (added) this.texts.set(args[0], args[1].text)
    return added
  }

  override async replace(...args: Parameters<MemoryRecords['replace']>): Promise<boolean> {
    const replaced = await super.replace(...args)
    if (replaced) this.texts.set(args[0], args[2].text)
    return replaced
  }

  /** Puts everything back as it was when `texts` were copied. */
  async putBack(texts: ReadonlyMap<string, string>): Promise<void> {
    await this.remove([...this.texts.keys()])
    for (const [key, text] of texts) {
      await this.put(key, { text, kind: 'decisive', lifetime: 1e9 })
    }
  }
}

const setUp = () => {
  const clock = new FakeClock()
  const store = new Store(clock)
  const seal = new RecordSeal(secretOf())
  const keys = new DerivedKeys()
  const hash = (name: string): string => keys.of('name', name)
  const start = () => {
    const rollbacks: Rollback[] = []
    const onRollback = (rollback: Rollback): void => void rollbacks.push(rollback)
    const journal = new RevocationJournal({ records: store, seal, keys, clock, onRollback })
    const knows = (name: string): boolean => journal.revokedAt(hash(name)) !== undefined
    const revoke = async (...names: readonly string[]): Promise<void> =>
      await journal.revoke(names.map(hash))
    return { journal, rollbacks, knows, revoke }
  }
  return { clock, store, start }
}

describe('a journal of revocations', () => {
  it('tells every process what another has revoked, with its next look', async () => {
    const { clock, start } = setUp()
    const [one, other] = [start(), start()]
    await one.journal.look()
    await other.journal.look()
    await one.revoke('a', 'b')
    assert.deepEqual([one.knows('a'), one.knows('b'), one.knows('c')], [true, true, false])
    assert.equal(other.journal.fresh(), undefined)
    clock.advance(1_000)
    await other.journal.fresh()
    assert.deepEqual([other.knows('a'), other.knows('b'), other.knows('c')], [true, true, false])
    assert.deepEqual([one.rollbacks, other.rollbacks], [[], []])
  })

  it('loses nothing that processes revoke at the same time', async () => {
    const { start } = setUp()
    const all = [start(), start(), start()]
    await Promise.all(
      all.map(async ({ revoke }, process) => {
        for (let count = 0; count < 20; count += 1) {
          await Promise.all([revoke(`${process} ${count} a`), revoke(`${process} ${count} b`)])
        }
      }),
    )
    const late = start()
    for (const { journal, knows, rollbacks } of [...all, late]) {
      await journal.look()
      for (let count = 0; count < 20; count += 1) {
        for (const process of all.keys()) {
          assert.ok(knows(`${process} ${count} a`) && knows(`${process} ${count} b`))
        }
      }
      assert.deepEqual(rollbacks, [])
    }
  })

  it('tells a process that starts later what was revoked in the ten minutes before', async () => {
    const { clock, start } = setUp()
    const one = start()
    await one.revoke('old')
    clock.advance(590_000)
    await one.revoke('new')
    clock.advance(20_000)
    const late = start()
    await late.journal.look()
    assert.deepEqual([late.knows('old'), late.knows('new')], [false, true])
    assert.deepEqual(late.rollbacks, [])
  })

  it('revokes everything from before where the journal is deleted', async () => {
    const { clock, store, start } = setUp()
    const [one, other] = [start(), start()]
    await one.journal.look()
    await other.journal.look()
    const before = clock.now()
    clock.advance(5_000)
    await store.putBack(new Map())
    await one.journal.look()
    assert.deepEqual(one.rollbacks, ['revoked-all'])
    assert.ok(one.journal.floor > before)
    await other.journal.look()
    assert.equal(other.journal.floor, one.journal.floor)
    await one.journal.look()
    assert.deepEqual(one.rollbacks, ['revoked-all'])
  })

  it('revokes everything from before where the head is not one that it wrote (hostile)', async () => {
    const { clock, store, start } = setUp()
    const one = start()
    await one.revoke('a')
    clock.advance(5_000)
    await store.putBack(new Map([...store.texts.keys()].map((key) => [key, 'not sealed'])))
    await one.journal.look()
    assert.deepEqual(one.rollbacks, ['revoked-all'])
    assert.equal(one.journal.floor, clock.now())
    const late = start()
    await late.journal.look()
    assert.deepEqual([late.journal.floor, late.rollbacks], [clock.now(), []])
  })

  it('writes again what it knows where the store lost the latest of it', async () => {
    const { clock, store, start } = setUp()
    const [one, other] = [start(), start()]
    await one.revoke('a')
    await other.journal.look()
    const copy = new Map(store.texts)
    await one.revoke('b')
    await store.putBack(copy)
    clock.advance(1_000)
    const { floor } = one.journal
    await one.journal.look()
    assert.deepEqual([one.rollbacks, one.journal.floor], [['restored'], floor])
    await other.journal.look()
    assert.deepEqual([other.knows('b'), other.rollbacks, other.journal.floor], [true, [], floor])
    const late = start()
    await late.journal.look()
    assert.ok(late.knows('a') && late.knows('b'))
  })

  it('revokes everything where the store lost what this process has never seen', async () => {
    const { clock, store, start } = setUp()
    const one = start()
    await one.revoke('a')
    const copy = new Map(store.texts)
    await one.revoke('b')
    clock.advance(700_000) // the entries are over, and what a later process can learn with them
    const late = start()
    await late.journal.look()
    await store.putBack(copy)
    await late.journal.look()
    assert.deepEqual(late.rollbacks, ['revoked-all'])
    assert.equal(late.journal.floor, clock.now())
  })

  it('revokes everything where an entry was removed before it was read', async () => {
    const { clock, store, start } = setUp()
    const [one, other] = [start(), start()]
    await one.journal.look()
    await other.journal.look()
    const before = new Set(store.texts.keys())
    await one.revoke('a')
    const added = [...store.texts.keys()].filter((key) => !before.has(key))
    assert.equal(added.length, 1)
    await store.remove(added)
    clock.advance(1_000)
    await other.journal.look()
    assert.deepEqual(other.rollbacks, ['revoked-all'])
    assert.equal(other.journal.floor, clock.now())
    await one.journal.look()
    assert.equal(one.journal.floor, clock.now())
  })

  it('sees with its next revocation that the store went back', async () => {
    const { store, start } = setUp()
    const one = start()
    await one.revoke('a')
    const copy = new Map(store.texts)
    await one.revoke('b')
    await store.putBack(copy)
    await one.revoke('c')
    assert.deepEqual(one.rollbacks, ['restored'])
    const late = start()
    await late.journal.look()
    assert.ok(late.knows('a') && late.knows('b') && late.knows('c'))
  })

  it('revokes everything that was written until now, for every process', async () => {
    const { clock, start } = setUp()
    const [one, other] = [start(), start()]
    await other.journal.look()
    clock.advance(3_000)
    await one.journal.revokeAll()
    assert.equal(one.journal.floor, clock.now())
    await other.journal.look()
    assert.equal(other.journal.floor, clock.now())
    assert.deepEqual([one.rollbacks, other.rollbacks], [[], []])
  })

  it('retains here what could not be written for the other replicas, and says so', async () => {
    const { store, start } = setUp()
    const one = start()
    await one.journal.look()
    store.add = () => Promise.reject(new Error('gone'))
    await assert.rejects(one.revoke('a'), /gone/)
    assert.equal(one.knows('a'), true)
  })
})

describe('the marks of a process', () => {
  it('are bounded: what has to go revokes everything from before it', () => {
    const marks = new RevocationMarks(3)
    for (let name = 1; name <= 3; name += 1) marks.mark(name, name * 10)
    assert.equal(marks.floor, 0)
    marks.mark(4, 40)
    assert.deepEqual([marks.floor, marks.instantOf(1), marks.instantOf(4)], [10, undefined, 40])
    marks.mark(2, 50)
    marks.mark(5, 60)
    assert.deepEqual([marks.floor, marks.instantOf(2), marks.instantOf(3)], [30, 50, undefined])
  })
})
