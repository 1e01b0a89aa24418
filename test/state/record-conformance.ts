// What every store of records must do, whatever it keeps them in. Each implementation runs these tests,
// bare and sealed.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { RecordStore } from '../../src/state/record-store.ts'
import { COUNTING } from './counting-records.ts'
import { LONG, MEDIUM, Prefixed, SHORT } from './prefixed-records.ts'

/** A store, and how time passes for it. */
export interface RecordsUnderTest {
  /** Two ways to the same store: two processes, where there can be two. */
  readonly stores: readonly [RecordStore, RecordStore]
  readonly pass: (milliseconds: number) => Promise<void>
  /** Whether time passes only by `pass`: then lifetimes are exact to the millisecond. */
  readonly isExact: boolean
}

/** Registers the tests for one implementation. */
export const recordStoreConformance = (
  name: string,
  create: () => Promise<RecordsUnderTest>,
): void => {
  describe(`${name} is a store of records: it`, () => {
    for (const test of TESTS) {
      it(test.name, async () => {
        const { stores, ...rest } = await create()
        const prefix = randomUUID()
        const [one, other] = stores.map((store) => new Prefixed(store, prefix))
        assert.ok(one !== undefined && other !== undefined)
        await test.run({ ...rest, one, other })
      })
    }
  })
}

/** What a test gets. */
interface Case {
  readonly one: Prefixed
  readonly other: Prefixed
  readonly pass: RecordsUnderTest['pass']
  readonly isExact: boolean
}

/** One test of a store. */
export interface Test {
  readonly name: string
  run(test: Case): Promise<void>
}

const HOSTILE = {
  nothing: '',
  'a NUL': 'a\0b',
  'what begins with it': 'a\0c',
  'a line': 'a\r\n$-1\r\n*1\r\n',
  quotes: `'"; DROP TABLE records; --`,
  'not ASCII': 'jürgen 密码 😀',
  combining: 'e\u0301 \u202eabc',
  'a pattern': '*[a-z]?%_',
  'a path': '../../etc/passwd',
  'a megabyte': 'x'.repeat(1024 * 1024),
  'a megabyte and one': `${'x'.repeat(1024 * 1024)}y`,
  'a megabyte, not ASCII': 'ü'.repeat(512 * 1024),
} as const

const together = async <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)))

const TESTS: readonly Test[] = [
  {
    name: 'knows what was put, and nothing else',
    async run({ one, other }) {
      await one.put('a', 'first')
      await other.put('a', 'second')
      assert.equal(await one.textOf('a'), 'second')
      assert.equal(await other.textOf('a'), 'second')
      assert.equal(await one.get('b'), undefined)
      assert.equal(await one.get('A'), undefined)
    },
  },
  {
    name: 'says how much time is left, as it is put and as it is put again',
    async run({ one, pass }) {
      await one.put('a', 'x', 10_000)
      await pass(100)
      const left = (await one.get('a'))?.lifetime ?? 0
      assert.ok(left > 9_000 && left <= 9_900, `${left}`)
      assert.ok(Number.isInteger(left))
      await one.put('a', 'x', 500_000)
      assert.ok(((await one.get('a'))?.lifetime ?? 0) > 490_000)
    },
  },
  {
    name: 'returns nothing whose time is over',
    async run({ one, other, pass }) {
      await one.put('a', 'x', LONG, ['s'])
      assert.equal(await other.textOf('a'), 'x')
      await one.put('a', 'x', SHORT, ['s'])
      await one.put('b', 'x', SHORT, ['s'])
      await one.put('c', 'x', SHORT)
      await pass(SHORT + 1)
      assert.equal(await other.get('a'), undefined)
      assert.equal(await one.take('b'), undefined)
      assert.equal(await one.replace('c', 'x', 'y'), false)
      assert.deepEqual(await one.keysIn('s'), [])
      assert.equal(await one.get('c'), undefined)
    },
  },
  {
    name: 'does so to the millisecond, where time passes only by the test',
    async run({ one, pass, isExact }) {
      if (!isExact) return
      await one.put('a', 'x', 1_000, ['s'])
      await one.put('b', 'x', 1_000)
      await pass(999)
      assert.deepEqual(await one.get('a'), { text: 'x', lifetime: 1 })
      assert.equal(await one.add('a', 'y'), false)
      assert.deepEqual(await one.keysIn('s'), ['a'])
      await pass(1)
      assert.equal(await one.get('a'), undefined)
      assert.deepEqual(await one.keysIn('s'), [])
      assert.equal(await one.take('b'), undefined)
      assert.equal(await one.add('a', 'y'), true)
      assert.equal(await one.textOf('a'), 'y')
    },
  },
  {
    name: 'gives what was put again its new time, be it shorter or longer',
    async run({ one, pass }) {
      await one.put('a', 'x', SHORT)
      await one.put('a', 'y', LONG)
      await one.put('b', 'x', LONG)
      await one.put('b', 'y', SHORT)
      await one.put('c', 'x', MEDIUM)
      assert.equal(await one.replace('c', 'x', 'y', LONG), true)
      await one.put('d', 'x', LONG)
      assert.equal(await one.replace('d', 'x', 'y', SHORT), true)
      await pass(SHORT + 1)
      assert.equal(await one.textOf('a'), 'y')
      assert.equal(await one.get('b'), undefined)
      assert.ok(((await one.get('c'))?.lifetime ?? 0) > MEDIUM)
      assert.equal(await one.get('d'), undefined)
    },
  },
  {
    name: 'adds only where there is nothing, or nothing any more',
    async run({ one, other, pass }) {
      assert.equal(await one.add('a', 'x'), true)
      assert.equal(await other.add('a', 'y'), false)
      assert.equal(await one.textOf('a'), 'x')
      assert.equal(await one.add('b', 'x', SHORT), true)
      await pass(SHORT + 1)
      assert.equal(await other.add('b', 'z'), true)
      assert.equal(await one.textOf('b'), 'z')
      await one.remove('a')
      assert.equal(await one.add('a', 'again'), true)
    },
  },
  {
    name: 'replaces only what is still there, letter for letter',
    async run({ one, other }) {
      assert.equal(await one.replace('a', '', 'x'), false)
      assert.equal(await one.get('a'), undefined)
      await one.put('a', 'before')
      assert.equal(await other.replace('a', 'Before', 'x'), false)
      assert.equal(await other.replace('a', 'before ', 'x'), false)
      assert.equal(await other.replace('a', 'before', 'after'), true)
      assert.equal(await one.replace('a', 'before', 'x'), false)
      assert.equal(await one.textOf('a'), 'after')
    },
  },
  {
    name: 'takes a record once',
    async run({ one, other }) {
      await one.put('a', 'x')
      assert.equal(await other.take('a'), 'x')
      assert.equal(await one.take('a'), undefined)
      assert.equal(await one.get('a'), undefined)
    },
  },
  {
    name: 'gives one of a hundred takes at once what is there',
    async run({ one, other }) {
      await one.put('a', 'x')
      const taken = await together(100, (index) => (index % 2 === 0 ? one : other).take('a'))
      assert.deepEqual(
        taken.filter((text) => text !== undefined),
        ['x'],
      )
    },
  },
  {
    name: 'lets one of a hundred adds at once win, and it is the one that is read',
    async run({ one, other }) {
      const added = await together(100, (index) =>
        (index % 2 === 0 ? one : other).add('a', `${index}`),
      )
      assert.equal(added.filter(Boolean).length, 1)
      assert.equal(await one.textOf('a'), `${added.indexOf(true)}`)
    },
  },
  {
    name: 'lets one of a hundred changes at once win, and loses none that it has accepted',
    async run({ one, other }) {
      await one.put('a', '0')
      const changed = await together(100, (index) =>
        (index % 2 === 0 ? one : other).replace('a', '0', `${index + 1}`),
      )
      assert.equal(changed.filter(Boolean).length, 1)
      assert.equal(await one.textOf('a'), `${changed.indexOf(true) + 1}`)
      const count = async (store: Prefixed): Promise<void> => {
        const before = await store.textOf('n')
        if (await store.replace('n', before ?? '', `${Number(before) + 1}`)) return
        await count(store)
      }
      await one.put('n', '0')
      await together(20, (index) => count(index % 2 === 0 ? one : other))
      assert.equal(await other.textOf('n'), '20')
    },
  },
  {
    name: 'removes several, and what is not there',
    async run({ one, other }) {
      await one.put('a', 'x')
      await one.put('b', 'x')
      await one.put('c', 'x')
      await other.remove('a', 'b', 'nothing', 'a')
      await other.remove()
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((key) => one.textOf(key))), [
        undefined,
        undefined,
        'x',
      ])
    },
  },
  {
    name: 'knows which keys are in a set, and when they are no longer',
    async run({ one, other, pass }) {
      await one.put('a', 'x', LONG, ['s', 't'])
      assert.equal(await other.add('b', 'x', LONG, ['s']), true)
      assert.equal(await other.add('b', 'x', LONG, ['u']), false)
      await one.put('short', 'x', LONG, ['s'])
      await one.put('d', 'x', LONG, ['s', 's'])
      await one.put('e', 'x')
      assert.deepEqual(await other.keysIn('s'), ['a', 'b', 'd', 'short'])
      assert.deepEqual(await other.keysIn('t'), ['a'])
      assert.deepEqual(await other.keysIn('u'), [])
      await one.put('short', 'x', SHORT, ['s'])
      await pass(SHORT + 1)
      assert.deepEqual(await other.keysIn('s'), ['a', 'b', 'd'])
      await other.take('b')
      await one.remove('d')
      assert.deepEqual(await other.keysIn('s'), ['a'])
      assert.deepEqual(await other.keysIn('t'), ['a'])
    },
  },
  COUNTING,
  {
    name: 'has a key that was put again in its new sets only, and one that was replaced where it was',
    async run({ one, pass }) {
      await one.put('a', 'x', MEDIUM, ['s', 't'])
      assert.equal(await one.replace('a', 'x', 'y', LONG), true)
      await pass(MEDIUM + 1)
      assert.deepEqual([await one.keysIn('s'), await one.keysIn('t')], [['a'], ['a']])
      await one.put('a', 'z', LONG, ['t', 'u'])
      assert.deepEqual(await one.keysIn('s'), [])
      assert.deepEqual([await one.keysIn('t'), await one.keysIn('u')], [['a'], ['a']])
      await one.put('a', 'z')
      assert.deepEqual([await one.keysIn('t'), await one.keysIn('u')], [[], []])
      await one.put('b', 'x', SHORT, ['v'])
      await pass(SHORT + 1)
      assert.equal(await one.add('b', 'x', LONG, ['w']), true)
      assert.deepEqual([await one.keysIn('v'), await one.keysIn('w')], [[], ['b']])
    },
  },
  {
    name: 'lets a set last as long as the last of its keys',
    async run({ one, pass }) {
      await one.put('long', 'x', LONG, ['s'])
      await one.put('short', 'x', SHORT, ['s'])
      await pass(SHORT + 1)
      assert.deepEqual(await one.keysIn('s'), ['long'])
    },
  },
  {
    name: 'holds whatever keys, texts and sets are given (hostile)',
    async run({ one, other }) {
      for (const [name, text] of Object.entries(HOSTILE)) {
        await one.put(text, text, LONG, [text])
        assert.equal(await other.replace(text, text, `${text}.`), true, name)
      }
      for (const [name, text] of Object.entries(HOSTILE)) {
        assert.ok((await other.textOf(text)) === `${text}.`, name)
        const [key, ...others] = await other.keysIn(text)
        assert.ok(key === text && others.length === 0, name)
        assert.ok((await other.take(text)) === `${text}.`, name)
      }
    },
  },
  {
    name: 'has room for many keys in one set',
    async run({ one, other }) {
      await together(500, (index) => one.put(`${index}`, 'x', LONG, ['s']))
      assert.equal((await other.keysIn('s')).length, 500)
      await other.remove(...(await one.keysIn('s')))
      assert.deepEqual(await one.keysIn('s'), [])
    },
  },
]
