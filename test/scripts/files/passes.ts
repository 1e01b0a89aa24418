import { describe, it } from 'node:test'

describe('a suite', () => {
  it('passes', () => {})
  it('is skipped', { skip: true }, () => {})
})
