// CHANGELOG.md has the shape that its first lines describe. The table of renamed keys in it and the keys of which `validate` names the new name are the same, the new
// names are keys of the schemas, and no other document uses an old name.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { describe, it } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { parseSignerConfig } from '../../src/ca/parse.ts'
import type { RenamedKey } from '../../src/config/renamed-key.ts'
import { RENAMED_KEYS } from '../../src/configuration/renamed-keys.ts'
import { codeSpansOf, headingsOf, ROOT, textOf } from './markdown.ts'

const CATEGORIES = ['Added', 'Changed', 'Fixed', 'Deprecated', 'Removed', 'Security']

describe('the changelog', () => {
  const text = textOf('CHANGELOG.md')
  const versions = headingsOf(text, 2)
  const sections = text.split(/^## .*$/m).slice(1)

  it('begins with the version of package.json', () => {
    assert.match(versions[0] ?? '', new RegExp(`^${packageJson.version.replaceAll('.', '\\.')} `))
  })

  it('has a date for each version, except the first one before its release', () => {
    const dated = versions.map((title) => /^\d+\.\d+\.\d+ \((.+)\)$/.exec(title)?.[1] ?? title)
    const isDate = (date: string): boolean =>
      /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date))
    assert.deepEqual(
      dated.filter((date, index) => !isDate(date) && (index > 0 || date !== 'unreleased')),
      [],
    )
    assert.deepEqual(dated.filter(isDate), dated.filter(isDate).toSorted().toReversed())
  })

  it('has the categories in their order, each once and with entries', () => {
    for (const section of sections) {
      const titles = headingsOf(section, 3)
      assert.deepEqual(
        titles,
        CATEGORIES.filter((title) => titles.includes(title)),
      )
      for (const entries of section.split(/^### .*$/m).slice(1)) assert.match(entries, /^- \S/m)
    }
  })

  it('has entries that can be read at once: at most 800 characters', () => {
    const entries = sections.flatMap((section) => section.split(/^(?=- |#)/m))
    const prose = entries.map((entry) => entry.replaceAll(/^ {2}\|.*$/gm, '').trim())
    assert.deepEqual(
      prose.filter((entry) => entry.length > 800),
      [],
    )
  })
})

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
