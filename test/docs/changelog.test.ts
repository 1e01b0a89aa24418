// The table of renamed keys in CHANGELOG.md and the keys of which `validate` names the new name are the same, the new
// names are keys of the schemas, and no other document uses an old name.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parseSignerConfig } from '../../src/ca/parse.ts'
import type { RenamedKey } from '../../src/config/renamed-key.ts'
import { RENAMED_KEYS } from '../../src/configuration/renamed-keys.ts'
import { codeSpansOf, ROOT, textOf } from './markdown.ts'

/** The rows about keys; those about reasons, audit fields, options and metrics come after them. */
const rows = textOf('CHANGELOG.md')
  .split('\n')
  .filter((line) => line.startsWith('  | ') && line.includes(' → '))
  .filter((line) => !/^ {2}\| (where|reasons|audit|metrics|labels|options)\b/.test(line))

/** The last key of `groups.under` or `beyond: cut`. */
const keyIn = (code: string): string => code.split(':')[0]?.split('.').at(-1) ?? ''

const keysOf = (row: string): ReadonlySet<string> => new Set(codeSpansOf(row).map(keyIn))

const schema = textOf('schema/countersign.schema.json')

const nameOf = ({ from, to, under }: RenamedKey): string =>
  `${from} → ${to}${under === undefined ? '' : ` under ${under.source}`}`

describe('the table of renamed keys', () => {
  it('lists more than five keys', () => assert.ok(rows.length > 5))

  for (const key of RENAMED_KEYS) {
    it(`has ${nameOf(key)}, and the schema has the new key`, () => {
      assert.ok(rows.map(keysOf).some((keys) => keys.has(key.from) && keys.has(key.to)))
      assert.ok(schema.includes(`"${key.to}"`))
    })
  }

  it('has the renamed key of signer.yaml', () => {
    const parsed = parseSignerConfig('/signer.yaml', 'version: 1\nstreams: 5\n')
    assert.ok(!parsed.ok && parsed.problems.some(({ message }) => message.includes('maxStreams')))
    assert.ok(rows.map(keysOf).some((keys) => keys.has('streams') && keys.has('maxStreams')))
  })

  it('has no key that validate does not know', () => {
    const olds = new Set([...RENAMED_KEYS.map(({ from }) => from), 'streams'])
    const news = new Set([...RENAMED_KEYS.map(({ to }) => to), 'maxStreams'])
    // "`streams` in `signer.yaml` → `maxStreams`"
    const pairs = rows.flatMap((row) => [
      ...row.replaceAll(' in `signer.yaml`', '').matchAll(/`([^`]+)`[^`→]*→ `([^`]+)`/g),
    ])
    assert.deepEqual(
      pairs.flatMap(([, from = '', to = '']) => [
        ...[keyIn(from)].filter((key) => !olds.has(key)),
        ...[keyIn(to)].filter((key) => !news.has(key)),
      ]),
      [],
    )
    assert.ok(pairs.length > 20)
  })
})

it('no document names a key by its old name', () => {
  const documents = globSync(['*.md', '{docs,deploy,envoy,src,test}/**/*.md'], { cwd: ROOT })
  const old = documents
    .filter((file) => file !== 'CHANGELOG.md')
    .flatMap((file) => codeSpansOf(textOf(file)).map((code) => ({ file, code })))
    .filter(({ code }) => {
      // A path such as `session.stream`; a key alone has many meanings.
      const [key = '', parent] = (code.split(':')[0] ?? '').split('.').toReversed()
      return (
        parent !== undefined &&
        RENAMED_KEYS.some(({ from, under }) => from === key && under?.test(parent) === true)
      )
    })
  assert.deepEqual(old, [])
  assert.ok(documents.length > 50)
})
