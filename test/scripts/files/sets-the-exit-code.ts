import { it } from 'node:test'

it('sets the exit code', () => {
  process.exitCode = 3
})
