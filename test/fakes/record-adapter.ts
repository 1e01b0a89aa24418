// What the provider stores, outside of any request: for tests of records that need no browser.

import { BrowserRecords } from '../../src/issuer/provider/browser-records.ts'
import { RecordAdapter } from '../../src/issuer/provider/record-adapter.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import type { RevocableRecords } from '../../src/state/record-store.ts'
import { FakeClock } from './clock.ts'

/** The adapter of a kind, where no browser keeps anything. */
export const recordAdapter = (kind: string, records: RevocableRecords): RecordAdapter => {
  const browser = new BrowserRecords('https://id.example.org', new DerivedKeys(), new FakeClock())
  return new RecordAdapter(kind, records, browser)
}
