// Signing keys as tests change them, and sets of them at a time.

import { type MadeKey, signingKeysOf } from '../fakes/signing-keys.ts'
import type { SigningKeyEntry } from '../../src/keys/signing-keys.ts'
import { FakeClock } from '../fakes/clock.ts'
import { START } from './lists.ts'
import type { SigningKeySet } from '../../src/keys/signing-key-set.ts'

/** The key, with another entry in the list of keys. */
export const changed = (key: MadeKey, changes: Partial<SigningKeyEntry>): MadeKey => ({
  ...key,
  entry: { ...key.entry, ...changes },
})

/** A set of these keys, so many milliseconds after the start. */
export const setAt = (keys: readonly MadeKey[], after: number): SigningKeySet => {
  const clock = new FakeClock(START)
  const set = signingKeysOf(keys, clock)
  clock.advance(after)
  return set
}
