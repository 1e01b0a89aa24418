// Documents read in slices: the same values and the same problems as at once.
//
// Slow: it reads documents of many thousand lines.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { parseYaml, parseYamlInSlices, type DocumentKind } from '../../src/config/document.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { Slices } from '../../src/runtime/slices.ts'
import { pathSchema } from '../../src/config/values.ts'
import { linesOf } from '../fakes/lines.ts'

const FILE = '/etc/app/app.yaml'

const member = z.strictObject({ id: z.string(), file: pathSchema.optional() })
const group = z.strictObject({ members: z.array(z.union([member, z.string()])) })
const schema = z.strictObject({
  name: z.string(),
  users: z.record(z.string().regex(/^[a-z0-9]+$/), member).default({}),
  groups: z.array(group).default([]),
})

const KIND: DocumentKind<typeof schema> = {
  schema,
  renamed: [{ from: 'identifier', to: 'id' }],
  longParts: () => [
    { path: ['users'], schema: schema.shape.users },
    { path: ['groups'], schema: schema.shape.groups },
    ...Array.from({ length: 40 }, (_, index) => ({
      path: ['groups', index, 'members'],
      schema: group.shape.members,
    })),
  ],
}

const users = (count: number, line = (index: number) => `{ id: i${index}, file: x/${index} }`) =>
  `users:\n${linesOf(count, (index) => `  u${index}: ${line(index)}`)}`

const groups = (count: number, members: number, line = (id: string) => `{ id: ${id} }`): string =>
  `groups:\n${linesOf(count, (one) => `  - members:\n${linesOf(members, (two) => `      - ${line(`g${one}-${two}`)}`)}`)}`

const every = (nth: number, bad: string) => (index: number) =>
  index % nth === nth - 1 ? bad : `{ id: i${index} }`

const CASES: Readonly<Record<string, string>> = {
  'a short one': 'name: a',
  'an empty one': '',
  'one that is no YAML': 'name: [',
  'a long one that is no YAML': `name: a\n${users(800)}  x: [`,
  'a long comment': `#${'x'.repeat(100_000)}`,
  'many users': `name: a\n${users(800)}`,
  'many users with keys that are numbers': `name: a\nusers:\n${linesOf(800, (index) => `  ${800 - index}: { id: x }`)}`,
  'many users with problems': `name: a\n${users(800, every(500, '{ identifier: x, more: y }'))}`,
  'many users, one of them with a name that is not allowed': `name: a\n${users(800)}  A-B: { id: x }`,
  'a user twice in many': `name: a\n${users(800)}  u5: { id: x }`,
  'a user __proto__ in many': `name: a\n${users(800)}  __proto__: { id: x }`,
  'many users, and problems elsewhere': `nmae: a\n${users(800)}`,
  'many groups of few': `name: a\n${groups(1_000, 3)}`,
  'few groups of many': `name: a\n${groups(3, 1_000)}`,
  'many groups of many': `name: a\n${groups(40, 100)}`,
  'many groups of many with problems': `name: a\n${groups(40, 100, (id) => (id.endsWith('7-77') || id.endsWith('9-1') ? '{ id: 5 }' : `{ id: ${id} }`))}`,
  'users in place of a list': `name: a\n${users(800).replace('users', 'groups')}`,
  'groups in place of a mapping': `name: a\n${groups(1_000, 3).replace('groups', 'users')}`,
  'aliases in many users': `name: a\nusers:\n  a: &a { id: x }\n  b: *a\n${linesOf(800, (index) => `  u${index}: { id: x }`)}  c: *a\n  d: { id: 5 }`,
}

describe('a document in slices', () => {
  for (const [name, text] of Object.entries(CASES)) {
    it(`is what it is at once: ${name}`, async () => {
      const want = parseYaml(FILE, text, schema, KIND.renamed)
      const got = await parseYamlInSlices(FILE, text, KIND)
      if (!want.ok || !got.ok) {
        assert.ok(!want.ok && !got.ok, JSON.stringify({ want: want.ok, got: got.ok }))
        const problems = want.problems.map(formatProblem).toSorted()
        assert.deepEqual(got.problems.map(formatProblem).toSorted(), problems)
        return
      }
      assert.deepStrictEqual(got.value, want.value)
      assertFrozen(got.value)
      const path = ['groups', 0, 'members', 2, 'id']
      assert.deepEqual(got.locate(path, 'x'), want.locate(path, 'x'))
      assert.deepEqual(got.locate(['users', 'u77'], 'x'), want.locate(['users', 'u77'], 'x'))
    })
  }

  it('may pause after every 16 members that are checked', async () => {
    let pauses = 0
    class Counted extends Slices {
      override pause(): undefined {
        pauses += 1
      }
    }
    // Not read in another thread, whose pieces have pauses too.
    const text = `name: a\nusers: {\n${linesOf(800, (index) => ` u${index}: { id: x },`)} }`
    assert.ok(text.length < 16_384)
    const result = await parseYamlInSlices(FILE, text, KIND, new Counted())
    assert.ok(result.ok)
    assert.ok(pauses >= 49, `${pauses} pauses`)
  })

  it('names a long part with its place: the member of a slice', async () => {
    const result = await parseYamlInSlices(
      FILE,
      `name: a\n${groups(1, 5_000).replace('{ id: g0-4321 }', '{ id: 5 }')}`,
      KIND,
    )
    assert.ok(!result.ok)
    assert.deepEqual(result.problems.map(formatProblem), [
      '/etc/app/app.yaml:4325:11: groups[0].members[4321].id: must be a text, not a number',
    ])
  })
})

const assertFrozen = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  assert.ok(Object.isFrozen(value))
  for (const inner of Object.values(value)) assertFrozen(inner)
}
