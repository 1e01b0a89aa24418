import { it } from 'node:test'

it('passes', () => {})
it('waits for nothing', () => new Promise(() => {}))
