import { it } from 'node:test'

it('ends the process', () => process.exit(0))
it('never runs', () => {})
