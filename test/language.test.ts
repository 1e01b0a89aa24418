// Keeps the language of texts, documents, comments and names of tests: language-words.ts has the words to avoid,
// language.ts finds them, language-baseline.json has how many each folder still has. The sums may only go down:
// `node test/language.ts FOLDER` lists what is left in a folder.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { AVOIDED, EXCEPTIONS } from './language-words.ts'
import { BASELINE, countsOf, findings, piecesOf, type Counts, type Kind } from './language.ts'

const KINDS: readonly Kind[] = ['text', 'doc', 'comment', 'name']

/** Counts by the first folder of the path, since files still move between the folders of `src/`. */
const sums = (counts: Counts, kind: Kind): ReadonlyMap<string, number> => {
  const result = new Map<string, number>()
  for (const [folder, count] of Object.entries(counts[kind] ?? {})) {
    // Documents move between the root and `docs/`, too.
    const top = kind === 'doc' ? 'the documents' : (folder.split('/')[0] ?? '')
    result.set(top, (result.get(top) ?? 0) + count)
  }
  return result
}

describe('the language', () => {
  const current = countsOf(findings())
  const baseline: Counts = JSON.parse(readFileSync(BASELINE, 'utf8'))

  for (const kind of KINDS) {
    it(`has no more words to avoid than the baseline: kind ${kind}`, (t) => {
      const allowed = sums(baseline, kind)
      const found = sums(current, kind)
      for (const [folder, count] of found) {
        const most = allowed.get(folder) ?? 0
        assert.ok(
          count <= most,
          `${folder} has ${count} words to avoid, ${most} are allowed. ` +
            `List those of a folder: node test/language.ts --kind ${kind} ${kind === 'doc' ? 'docs' : folder}`,
        )
      }
      for (const [folder, most] of allowed) {
        const fewer = most - (found.get(folder) ?? 0)
        if (fewer > 0) {
          t.diagnostic(`${folder}: lower the baseline by ${fewer}: node test/language.ts --lower`)
        }
      }
    })
  }
})

describe('the finder of language', () => {
  const PROGRAM = [
    '// A comment',
    '// of two lines.',
    "import { a } from 'node:test'",
    "const kind = 'not-language'",
    "logger.warn('a message with a blank')",
    'const text = `cannot open ${file}`',
    '/** A docstring. */',
    'export const b = 1',
  ].join('\n')

  it('reads comments and strings of two words or more', () => {
    const pieces = piecesOf('src/x.ts', PROGRAM).map(({ kind, start, end }) => [
      kind,
      PROGRAM.slice(start, end),
    ])
    assert.deepEqual(pieces, [
      ['text', "'a message with a blank'"],
      ['text', '`cannot open ${file}`'],
      ['comment', '// A comment\n// of two lines.'],
      ['comment', '/** A docstring. */'],
    ])
  })

  it('reads the names of tests and of rows in their tables', () => {
    const program =
      "it('rejects x', () => { f('not a name') })\nconst rows = [{ name: 'row', input: 'y' }]"
    const pieces = piecesOf('test/x.test.ts', program)
    assert.deepEqual(
      pieces.map(({ start, end }) => program.slice(start, end)),
      ["'rejects x'", "'row'"],
    )
  })

  const WORDS = [
    { name: 'a word', text: 'Whoever logs in', want: true },
    { name: 'a phrase across lines', text: 'the server is\n  asked', want: true },
    { name: 'a negated noun', text: 'the value is no URL', want: true },
    { name: 'a statement that nothing exists', text: 'there is no URL', want: false },
    { name: 'no longer', text: 'the key is no longer valid', want: false },
    { name: 'a part of a word', text: 'a personal standalone understanding', want: false },
  ] as const

  for (const { name, text, want } of WORDS) {
    it(`${want ? 'finds' : 'passes'} ${name}`, () => {
      assert.equal(
        AVOIDED.some(({ word }) => text.search(word) !== -1),
        want,
      )
    })
  }

  it('has a replacement for each word and a reason for each exception', () => {
    assert.ok(AVOIDED.every(({ write }) => write !== ''))
    assert.ok(EXCEPTIONS.every(({ reason }) => reason !== ''))
  })
})
