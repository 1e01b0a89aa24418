// What every store of records must do where it has no room left, whatever it keeps them in. Each
// implementation runs these tests, bare and sealed.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import type { Quotas } from '../../src/state/quotas.ts'
import type { RecordKind, RecordStore } from '../../src/state/record-store.ts'
import { LONG } from './prefixed-records.ts'

/** An empty store with these quotas, and how time passes for it. */
export interface BoundedRecords {
  /** Two ways to the same store: two processes, where there can be two. */
  readonly stores: readonly [RecordStore, RecordStore]
  readonly pass: (milliseconds: number) => Promise<void>
  /** The kinds that refuse what does not fit. */
  readonly refusing: readonly RecordKind[]
}

const BYTES = 60_000
const room = { entries: 1_000, bytes: BYTES }
const ROOMS: Quotas = { anonymous: room, login: room, decisive: room, used: room, public: room }
const KINDS = ['login', 'decisive', 'used'] as const

/** Long enough to fill a room, where time passes. */
const BRIEF = 2_500

const TEXT = 'x'.repeat(1_000)

const full = (cause: unknown): boolean => {
  assert.ok(cause instanceof CountersignError, String(cause))
  assert.equal(cause.code, 'overloaded')
  return true
}

/** Writes records until one is refused, or so many were written; how many were. */
const fill = async (
  [one, other]: BoundedRecords['stores'],
  kind: RecordKind,
  { most = 200, lifetime = LONG, name = kind }: FillOptions = {},
): Promise<number> => {
  for (let count = 0; count < most; count += 1) {
    const record = { text: TEXT, kind, lifetime }
    const store = count % 2 === 0 ? one : other
    try {
      await store.put(`${name} ${count}`, record, ['all', kind])
    } catch (cause) {
      full(cause)
      return count
    }
  }
  return most
}

interface FillOptions {
  readonly most?: number
  readonly lifetime?: number
  readonly name?: string
}

/** Registers the tests for one implementation. */
export const quotaConformance = (
  name: string,
  create: (quotas: Quotas) => Promise<BoundedRecords>,
): void => {
  describe(`${name} that is full`, () => {
    it('keeps every login, sign-out and used value through a flood of anonymous records', async () => {
      const { stores } = await create(ROOMS)
      const [one, other] = stores
      for (const kind of KINDS) {
        await one.put(kind, { text: kind, kind, lifetime: LONG }, ['kept'])
      }
      assert.equal(await fill(stores, 'anonymous', { most: 500 }), 500)
      for (const kind of KINDS) {
        assert.equal((await other.get(kind))?.text, kind)
      }
      assert.deepEqual([...(await other.keysIn('kept'))].toSorted(), [...KINDS].toSorted())
    })

    it('keeps a device code through a flood of pushed requests, and the reverse', async () => {
      const { stores } = await create(ROOMS)
      const [one, other] = stores
      for (const [kind, flooding] of [
        ['anonymous', 'public'],
        ['public', 'anonymous'],
      ] as const) {
        await one.put('kept', { text: kind, kind, lifetime: LONG }, ['kept'])
        assert.equal(await fill(stores, flooding, { most: 200 }), 200)
        assert.equal((await other.get('kept'))?.text, kind)
      }
    })

    for (const kind of ['anonymous', 'public'] as const) {
      it(`keeps only the latest records of the kind "${kind}", within their room`, async () => {
        const { stores } = await create(ROOMS)
        await fill(stores, kind, { most: 200 })
        const left = await stores[0].keysIn(kind)
        assert.ok(left.length > 5 && left.length <= BYTES / TEXT.length, `${left.length}`)
        const numbers = left.map((key) => Number(key.split(' ')[1])).toSorted((a, b) => a - b)
        assert.deepEqual(
          numbers,
          Array.from({ length: left.length }, (_, index) => 200 - left.length + index),
        )
      })
    }

    it('has room for the other kinds although anonymous records have filled their own', async () => {
      const { stores, refusing } = await create(ROOMS)
      await fill(stores, 'anonymous', { most: 200 })
      for (const kind of refusing) {
        assert.ok((await fill(stores, kind)) > 5)
      }
    })

    it('refuses a record for which its kind has no room, and drops nothing for it', async () => {
      const { stores, refusing } = await create(ROOMS)
      for (const kind of refusing) {
        const count = await fill(stores, kind)
        assert.ok(count > 5 && count <= BYTES / TEXT.length, `${kind}: ${count}`)
        await assert.rejects(stores[0].add('more', { text: TEXT, kind, lifetime: LONG }), full)
        assert.equal((await stores[1].keysIn(kind)).length, count)
      }
    })

    it('has room for sign-outs although logins have filled their own, and the reverse', async () => {
      const { stores, refusing } = await create(ROOMS)
      for (const kind of refusing) await fill(stores, kind)
      const counts = await Promise.all(refusing.map((kind) => stores[0].keysIn(kind)))
      assert.ok(counts.every(({ length }) => length > 5))
      assert.equal(await fill(stores, 'anonymous', { most: 20, name: 'login' }), 20)
    })

    it('has room again when records are removed, taken or over', async () => {
      const { stores, refusing, pass } = await create(ROOMS)
      const [one, other] = stores
      for (const kind of refusing) {
        const count = await fill(stores, kind)
        await one.remove(await one.keysIn(kind))
        assert.equal(await fill(stores, kind), count)
        for (const key of await one.keysIn(kind)) await other.take(key)
        // More than that, where the first are over before the last are there.
        assert.ok((await fill(stores, kind, { lifetime: BRIEF })) >= count)
        await pass(BRIEF + 100)
        assert.equal(await fill(stores, kind, { name: kind.toUpperCase() }), count)
      }
    })

    it('refuses an anonymous record that is larger than all of the room, and keeps the other records', async () => {
      const { stores } = await create(ROOMS)
      const [one, other] = stores
      await one.put('small', { text: 'x', kind: 'anonymous', lifetime: LONG })
      const large = { text: 'x'.repeat(BYTES), kind: 'anonymous', lifetime: LONG } as const
      await assert.rejects(other.put('large', large), full)
      await assert.rejects(other.put('small', large), full)
      assert.equal((await one.get('small'))?.text, 'x')
    })

    it('keeps what was anonymous and is of a login now', async () => {
      const { stores } = await create(ROOMS)
      const [one, other] = stores
      await one.put('a', { text: 'begun', kind: 'anonymous', lifetime: LONG }, ['s'])
      await other.put('a', { text: 'proven', kind: 'login', lifetime: LONG }, ['s'])
      await fill(stores, 'anonymous', { most: 200 })
      assert.equal((await one.get('a'))?.text, 'proven')
      assert.deepEqual(await one.keysIn('s'), ['a'])
    })

    it('counts what was written again once, and what was replaced by its new size', async () => {
      const { stores } = await create(ROOMS)
      const [one, other] = stores
      for (let count = 0; count < 200; count += 1) {
        const store = count % 2 === 0 ? one : other
        await store.put('again', { text: TEXT, kind: 'anonymous', lifetime: LONG })
      }
      await one.put('first', { text: 'x', kind: 'anonymous', lifetime: LONG })
      assert.equal(await one.replace('first', 'x', { text: TEXT, lifetime: LONG }), true)
      assert.equal((await one.get('again'))?.text, TEXT)
      const count = (await fill(stores, 'anonymous', { most: 200 })) - 200
      assert.equal(count, 0)
      assert.deepEqual([await one.get('again'), await one.get('first')], [undefined, undefined])
    })
  })
}
