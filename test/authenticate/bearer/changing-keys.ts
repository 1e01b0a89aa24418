// A key set that a test changes.

import assert from 'node:assert/strict'
import type { KeyRenewal, KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import type { Keys } from '../../../src/authenticate/bearer/keys.ts'
import { keySetOf, type IssuerKey } from './issuing.ts'

/** A key set that a test changes, and that counts how often newer keys were requested. */
export class ChangingKeys implements KeySet {
  held: Keys | undefined
  next: KeyRenewal = { outcome: 'same' }
  requests = 0

  constructor(...keys: readonly IssuerKey[]) {
    this.change(...keys)
  }

  change(...keys: readonly IssuerKey[]): void {
    this.held = keys.length === 0 ? undefined : keySetOf(...keys).current()
  }

  current(): Keys | undefined {
    return this.held
  }

  newer(): Promise<KeyRenewal> {
    this.requests += 1
    return Promise.resolve(this.next)
  }
}

/** The renewal of an issuer that publishes these keys. */
export const renewed = (...keys: readonly IssuerKey[]): KeyRenewal => {
  const current = keySetOf(...keys).current()
  assert.ok(current !== undefined)
  return { outcome: 'keys', keys: current }
}

/** The renewal of an issuer that is down. */
export const DOWN: KeyRenewal = { outcome: 'unavailable', cause: new Error('down') }
