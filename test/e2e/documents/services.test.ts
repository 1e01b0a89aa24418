// Pages of the documents that start a service: all of their commands, in their order.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blocksOf, PAGES } from '../../docs/examples/blocks.ts'
import { isRun, runPage } from '../../docs/examples/page-run.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'

const pages = PAGES.filter((page) =>
  blocksOf(page).some((block) => isRun(block) && block.attributes.has('start')),
)

describe('pages with a command that stays', { skip: skipWithoutEnvoy() }, () => {
  for (const page of pages) {
    it(`do what ${page} says`, () => runPage(page))
  }

  it('are there', () => assert.ok(pages.length > 0))
})
