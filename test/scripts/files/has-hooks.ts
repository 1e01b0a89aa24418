import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'

let begun = 0
before(() => {
  begun += 1
})
after(() => assert.equal(begun, 1))

it('runs after its own hook', () => assert.equal(begun, 1))
