// Spelling of the documents, by cspell with British English, and its list of words.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT, textOf } from '../markdown.ts'
import { SITE, skipWithoutSite } from './packages.ts'

/** What cspell finds in the documents, or in a text, one word with its place a line. */
const spellingOf = async (text?: string): Promise<string> =>
  await new Promise((resolve) => {
    const program = join(SITE, 'node_modules/cspell/bin.mjs')
    const options = ['lint', '--no-progress', '--no-summary', '--config', join(SITE, 'cspell.json')]
    const files = text === undefined ? [] : ['stdin://page.md']
    const child = execFile(
      process.execPath,
      [program, ...options, ...files],
      { cwd: SITE },
      (_, stdout, stderr) => resolve(stdout + stderr),
    )
    child.stdin?.end(text)
  })

const words = textOf('site/words.txt').trimEnd().split('\n')

describe('spelling', { skip: skipWithoutSite('node_modules/cspell') }, () => {
  it('is correct in all documents, or the word is in site/words.txt', async () => {
    assert.equal(await spellingOf(), '')
  })

  it('finds a misspelt word', async () => {
    assert.match(await spellingOf('The usptream answers.\n'), /usptream/)
  })
})

describe('the list of words', () => {
  it('is sorted, without repetitions', () => {
    const sorted = [...new Set(words)].toSorted((a, b) =>
      a.toLowerCase() < b.toLowerCase() ? -1 : 1,
    )
    assert.deepEqual(words, sorted)
  })

  it('has no word that no document has', () => {
    const documents = globSync(['*.md', '{docs,deploy,envoy,bench}/**/*.md'], { cwd: ROOT })
    const text = documents.map(textOf).join('\n').toLowerCase()
    assert.deepEqual(
      words.filter((word) => !text.includes(word.toLowerCase())),
      [],
    )
  })
})
