import { it } from 'node:test'

it('leaves a variable behind', () => {
  process.env['COUNTERSIGN_TEST_LEFT'] = 'behind'
})
