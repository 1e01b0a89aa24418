import { it } from 'node:test'

it('passes', () => {})
throw new Error('broken while loading')
