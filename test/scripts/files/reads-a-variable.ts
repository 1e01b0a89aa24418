import assert from 'node:assert/strict'
import { it } from 'node:test'

it('finds no variable of another file', () => {
  assert.equal(process.env['COUNTERSIGN_TEST_LEFT'], undefined)
})
