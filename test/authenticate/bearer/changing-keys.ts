// Keys that change when a test says so.

import assert from 'node:assert/strict'
import type { KeyRenewal, KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import type { Keys } from '../../../src/authenticate/bearer/keys.ts'
import { keySetOf, type IssuerKey } from './issuing.ts'

/** Keys that a test changes, and that count how often anybody looked for newer ones. */
export class ChangingKeys implements KeySet {
  held: Keys | undefined
  next: KeyRenewal = { outcome: 'same' }
  asked = 0

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
    this.asked += 1
    return Promise.resolve(this.next)
  }
}

/** What is said when the issuer has these keys now. */
export const renewed = (...keys: readonly IssuerKey[]): KeyRenewal => {
  const current = keySetOf(...keys).current()
  assert.ok(current !== undefined)
  return { outcome: 'keys', keys: current }
}

/** What is said when the issuer cannot be asked. */
export const DOWN: KeyRenewal = { outcome: 'unavailable', cause: new Error('down') }
