// Sealed stores for tests.

import assert from 'node:assert/strict'
import { systemClock } from '../../src/runtime/clock.ts'
import { RecordSeal } from '../../src/state/record-seal.ts'
import type { RecordStore } from '../../src/state/record-store.ts'
import { RevocationJournal } from '../../src/state/revocation-journal.ts'
import { SealedRecords } from '../../src/state/sealed-records.ts'
import { newStateKeyLine, parseStateSecret } from '../../src/state/state-secret.ts'
import type { StateSecret } from '../../src/state/state-secret.ts'
import { StoreNames } from '../../src/state/store-names.ts'

/** A keyring of these lines; default: of one new key. */
export const secretOf = (...lines: readonly string[]): StateSecret =>
  parseStateSecret('keyring', lines.length === 0 ? newStateKeyLine() : lines.join('\n'))

/** A store sealed, as one process has it that has agreed with it. */
export const sealedBy = async (
  store: RecordStore,
  secret: StateSecret,
  onUnopened: () => void = () => undefined,
  onRollback: () => void = () => assert.fail('nothing was put back'),
): Promise<SealedRecords> => {
  const seal = new RecordSeal(secret)
  const names = new StoreNames(seal, secret)
  await names.agree(store)
  const { keys } = names
  const clock = systemClock
  const journal = new RevocationJournal({ records: store, seal, keys, clock, onRollback })
  await journal.look()
  return new SealedRecords(store, { seal, keys, journal, clock, onUnopened })
}

/** Two ways to one store, sealed with one secret. */
export const sealedPair = async (
  one: RecordStore,
  other: RecordStore,
): Promise<readonly [RecordStore, RecordStore]> => {
  const secret = secretOf()
  return [await sealedBy(one, secret), await sealedBy(other, secret)]
}
