import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unknownKey } from '../../src/config/renamed-key.ts'
import { RENAMED_KEYS } from '../../src/configuration/renamed-keys.ts'

describe('a renamed key', () => {
  const CASES = [
    { path: [], key: 'grants', want: 'certificateGrants' },
    { path: ['issuer', 'clients', 'web'], key: 'grants', want: 'grantTypes' },
    { path: ['routes', 0, 'authorize', 2], key: 'answer', want: 'response' },
    { path: ['authenticators', 'staff', 'basic'], key: 'guard', want: 'bruteForceProtection' },
    { path: ['authenticators', 'staff', 'bearer'], key: 'remember', want: 'cacheTtl' },
    { path: ['authenticators', 'cards', 'session'], key: 'longest', want: 'maxLifetime' },
  ] as const

  for (const { path, key, want } of CASES) {
    it(`is reported with the new name: ${[...path, key].join('.')}`, () => {
      assert.equal(unknownKey(path, key, RENAMED_KEYS), `unknown key; it is called "${want}" now`)
    })
  }

  it('is not recognized by another name or in another place', () => {
    assert.equal(unknownKey(['routes', 0], 'answer', RENAMED_KEYS), 'unknown key')
    assert.equal(unknownKey(['routes', 0], 'autorize', RENAMED_KEYS), 'unknown key')
  })
})
