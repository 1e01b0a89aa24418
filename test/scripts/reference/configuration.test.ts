// The pages of the configuration: their examples are valid, no key is missing, and types are in words.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { configurationPages, partOf } from '../../../scripts/reference/configuration.ts'
import { pageText } from '../../../scripts/reference/markdown.ts'
import { CONFIGURATIONS } from '../../../scripts/reference/pages.ts'
import {
  defaultOf,
  objectsBelow,
  schemaNode,
  typeOf,
  type SchemaNode,
} from '../../../scripts/reference/schema-node.ts'
import { parseSignerConfig } from '../../../src/ca/parse.ts'
import { durationSchema, secretSchema } from '../../../src/config/values.ts'
import { parseConfig } from '../../../src/configuration/parse.ts'

const PARSERS = { 'countersign.yaml': parseConfig, 'signer.yaml': parseSignerConfig } as const

/** Every key of a schema, by the object that has it. */
const keysIn = (node: SchemaNode): readonly string[] =>
  objectsBelow('', node).flatMap(({ node: object }) =>
    Object.entries(object.properties ?? {}).flatMap(([key, child]) => [key, ...keysIn(child)]),
  )

for (const reference of CONFIGURATIONS) {
  describe(`the pages of ${reference.name}`, () => {
    const root = schemaNode(reference.schema)
    const top = Object.entries(root.properties ?? {})
    const [index, ...pages] = configurationPages(reference)

    it('have an example that is valid', () => {
      const result = PARSERS[reference.name](`/${reference.name}`, reference.example)
      assert.ok(result.ok, JSON.stringify(result))
    })

    it('are one for each key at the top, and an index that links to all of them', () => {
      assert.equal(pages.length, top.length)
      const text = index === undefined ? '' : pageText(index)
      for (const [key] of top) assert.ok(text.includes(`/${key}.md)`), key)
    })

    for (const [position, [key, node]] of top.entries()) {
      it(`have the example and every key below ${key}`, () => {
        const page = pages[position]
        const text = page === undefined ? '' : pageText(page)
        assert.ok(text.includes(partOf(reference.example, key).trimEnd()))
        const missing = keysIn(node).filter((below) => !new RegExp(`[\`.]${below}\``).test(text))
        assert.deepEqual(missing, [])
      })
    }

    it('name only keys that exist as those that need a restart', () => {
      for (const path of [...reference.restart, ...reference.reloaded]) {
        const [first = '', ...rest] = path.split('.')
        const found = top.find(([key]) => key === first)?.[1]
        const last = rest.at(-1)
        assert.ok(found !== undefined && (last === undefined || keysIn(found).includes(last)), path)
      }
    })
  })
}

describe('the page of a key', () => {
  const rule = z.strictObject({
    allow: z.string().describe('The name.'),
    users: z.array(z.string()),
  })
  const nested = z.strictObject({
    rules: z.array(rule).describe('More rules.'),
    a: z.string(),
    b: z.string(),
    c: z.string(),
    d: z.string(),
  })
  const [, page] = configurationPages({
    name: 'countersign.yaml',
    schema: z.strictObject({
      routes: z.array(z.union([rule, nested])).describe('The routes.'),
      file: z.string(),
    }),
    from: 'here',
    example: 'routes:\n  - allow: a # a comment\n    users: [b]\nfile: x\n',
    restart: ['routes.file'],
    reloaded: [],
  })
  const text = page === undefined ? '' : pageText(page)

  it('shows the part of the example that belongs to the key', () => {
    assert.ok(
      text.includes(
        '```yaml of=countersign-yaml\nroutes:\n  - allow: a # a comment\n    users: [b]\n```',
      ),
    )
  })

  it('has one section for an object that occurs twice', () => {
    assert.equal(text.split('## `routes[]`').length, 3)
    assert.equal(text.includes('## `routes[].rules[]`'), false)
    assert.ok(text.includes('[`rules`](#routes)'))
  })

  it('says which keys below it need a restart', () => {
    assert.ok(text.includes('A change of `routes.file` needs a restart.'))
  })
})

describe('the type of a value', () => {
  const CASES: readonly { readonly schema: z.ZodType; readonly want: string }[] = [
    { schema: durationSchema.prefault('5s').describe('How long.'), want: 'duration' },
    { schema: secretSchema.optional(), want: 'secret' },
    { schema: z.array(durationSchema), want: 'list of duration' },
    { schema: z.record(z.string(), z.string()), want: 'map of string' },
    { schema: z.enum(['a', 'b']).default('a'), want: '`a`, `b`' },
    { schema: z.union([z.literal(false), z.strictObject({})]), want: '`false` or object' },
    { schema: z.int().min(1).max(9), want: 'integer, 1 to 9' },
    { schema: z.int().min(0), want: 'integer, at least 0' },
    { schema: z.number().positive(), want: 'number, above 0' },
    { schema: z.unknown(), want: 'any value' },
  ]
  for (const { schema, want } of CASES) {
    it(`is ${want}`, () => {
      const node = schemaNode(z.strictObject({ key: schema })).properties?.['key']
      assert.equal(node && typeOf(node), want)
    })
  }
})

describe('the default of a key', () => {
  const CASES: readonly {
    readonly node: SchemaNode
    readonly required?: true
    readonly want: string
  }[] = [
    { node: { default: '5s' }, want: '`5s`' },
    { node: { default: ['a'] }, want: '`["a"]`' },
    { node: { default: {} }, want: '' },
    { node: { default: '' }, want: '`""`' },
    { node: {}, want: '' },
    { node: {}, required: true, want: 'required' },
  ]
  for (const { node, required = false, want } of CASES) {
    it(`of ${JSON.stringify(node)} is written ${want === '' ? 'as nothing' : want}${required ? ' where it is needed' : ''}`, () => {
      assert.equal(defaultOf(node, required), want)
    })
  }
})

it('an example without a key of the schema is an error', () => {
  assert.throws(() => partOf('a: 1\n', 'b'), /the example has no "b"/)
})
