// ARCHITECTURE.md agrees with the source: what it names exists. READMEs of the folders of src/ name files that exist, and
// SECURITY.md tests that exist.

import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { codeSpansOf, fromRoot, ROOT, textOf } from './markdown.ts'

const MOST_BYTES = 12_288

const page = textOf('ARCHITECTURE.md')

/** Whether a code span is a file or folder of the source, or a test. */
const isPath = (code: string): boolean => /^[a-z][\w-]*(\/[\w.-]*)+$|^[\w-]+\.ts$/.test(code)

/** Whether it is one from the root, from `src/` or `test/`, with or without `.test.ts`, or a folder in one of `src/`. */
const exists = (path: string): boolean =>
  [path, `src/${path}`, `test/${path}`, `test/${path}.test.ts`].some((candidate) =>
    existsSync(resolve(ROOT, candidate)),
  ) ||
  (path.endsWith('/') && globSync(`src/*/${path}`, { cwd: ROOT }).length > 0)

// A name in code, and the file that has it: `name` (`path`).
const NAMED = /`(\w+)`\s+\(`([\w/-]+\.ts)`\)/g

describe('ARCHITECTURE.md', () => {
  it(`has at most ${MOST_BYTES} bytes`, () => {
    assert.ok(Buffer.byteLength(page) <= MOST_BYTES)
  })

  it('names files and folders that exist', () => {
    const missing = codeSpansOf(page).filter((code) => isPath(code) && !exists(code))
    assert.deepEqual(missing, [])
  })

  it('names functions and classes that their files have', () => {
    const named = [...page.matchAll(NAMED)]
    const missing = named.filter(([, name = '', path = '']) => {
      const file = `src/${path}`
      return !existsSync(resolve(ROOT, file)) || !new RegExp(`\\b${name}\\b`).test(textOf(file))
    })
    assert.deepEqual(
      missing.map(([text]) => text),
      [],
    )
    assert.ok(named.length > 20)
  })
})

it('CONTRIBUTING.md names files and folders that exist', () => {
  const missing = codeSpansOf(textOf('CONTRIBUTING.md'))
    .filter((code) => /^(src|test|scripts)\/[\w./-]+$/.test(code) && !/[A-Z]{4}/.test(code)) // NAME, SCENARIO
    .filter((path) => !existsSync(resolve(ROOT, path)))
  assert.deepEqual(missing, [])
})

it('SECURITY.md names tests that exist', () => {
  // The rows of threats: asset, threat, defence, tests.
  const rows = textOf('SECURITY.md')
    .split('\n')
    .map((line) => line.split(/(?<!\\)\|/))
    .filter((cells) => cells.length === 6)
  const named = rows.flatMap(([, , , , tests = '']) => codeSpansOf(tests))
  const missing = named.filter(
    (name) =>
      !existsSync(resolve(ROOT, 'test', name)) &&
      globSync(`test/${name}.test.ts`, { cwd: ROOT }).length === 0,
  )
  assert.deepEqual(missing, [])
  assert.ok(named.length > 50)
})

describe('the READMEs of src', () => {
  for (const readme of globSync('src/*/README.md', { cwd: ROOT }).toSorted()) {
    const file = fromRoot(resolve(ROOT, readme))
    it(`${file} names files and folders that exist`, () => {
      const text = textOf(file)
      const missing = codeSpansOf(text)
        .filter((code) => /^[\w./-]+(\.ts|\/)$/.test(code))
        .filter((path) => !existsSync(resolve(ROOT, dirname(file), path)) && !exists(path))
      assert.deepEqual(missing, [])
    })
  }
})
