import { it } from 'node:test'

it('passes, and throws when it has ended', () => {
  setTimeout(() => {
    throw new Error('thrown later')
  }, 1)
})
