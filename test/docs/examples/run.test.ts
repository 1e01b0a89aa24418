// Slow: it starts the command for each line of the examples.
//
// Executes the shell examples that say `run`, a folder for each page, in their order. Pages that start a service are executed by
// test/e2e/documents, since a service may need Envoy.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blocksOf, PAGES } from './blocks.ts'
import { isRun, runPage } from './page-run.ts'

const pages = PAGES.filter((page) => blocksOf(page).some(isRun))
const starting = pages.filter((page) =>
  blocksOf(page).some((block) => isRun(block) && block.attributes.has('start')),
)

describe('shell examples that say "run"', () => {
  for (const page of pages.filter((path) => !starting.includes(path))) {
    it(`succeed in their order, and print what ${page} says`, () => runPage(page))
  }

  it('are there', () => {
    assert.ok(pages.flatMap(blocksOf).filter(isRun).length > 5)
  })
})
