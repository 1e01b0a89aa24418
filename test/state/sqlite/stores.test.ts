// The seams in a state file, through two connections as two processes have them.

import { randomUUID } from 'node:crypto'
import { after, describe } from 'node:test'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { SqliteAttempts } from '../../../src/state/sqlite/attempts.ts'
import { SqliteRecords } from '../../../src/state/sqlite/records.ts'
import { SqliteReplays } from '../../../src/state/sqlite/replays.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { sameAsInMemory } from '../attempts-differential.ts'
import { fileQuotas } from '../../../src/state/quotas.ts'
import { attemptStoreConformance } from '../conformance.ts'
import { lockOutConformance } from '../lock-out-conformance.ts'
import { quotaConformance } from '../quota-conformance.ts'
import { recordStoreConformance } from '../record-conformance.ts'
import { replayMemoryConforms } from '../replay-conformance.ts'
import { sealedPair } from '../sealing.ts'
import { openFile } from './files.ts'

const folder = await temporaryFolder()
after(() => folder[Symbol.asyncDispose]())

const clock = new FakeClock()
const one = await openFile(folder.file('state.db'), { clock })
const other = await openFile(folder.file('state.db'), { clock })
after(() => {
  one[Symbol.dispose]()
  other[Symbol.dispose]()
})

const pass = async (milliseconds: number): Promise<void> => clock.advance(milliseconds)
const records = [
  new SqliteRecords(one, fileQuotas(1e9)),
  new SqliteRecords(other, fileQuotas(1e9)),
] as const

recordStoreConformance('a state file', async () => ({ stores: records, pass, isExact: true }))

const sealed = await sealedPair(...records)
recordStoreConformance('a state file, sealed', async () => ({
  stores: sealed,
  pass,
  isExact: true,
}))

const REFUSING = ['login', 'decisive', 'used'] as const

quotaConformance('a state file', async (quotas) => {
  const file = folder.file(`${randomUUID()}.db`)
  const databases = [await openFile(file, { clock }), await openFile(file, { clock })] as const
  after(() => databases.forEach((database) => database[Symbol.dispose]()))
  const [here, there] = databases
  const stores = [new SqliteRecords(here, quotas), new SqliteRecords(there, quotas)] as const
  return { stores, pass, refusing: REFUSING }
})

const createAttempts = async () => ({ store: new SqliteAttempts(one), pass })
attemptStoreConformance('SqliteAttempts', createAttempts)
lockOutConformance('a state file', createAttempts)

describe('attempts in a state file', () => {
  sameAsInMemory(async () => {
    const time = { now: Number.NaN }
    const database = await openFile(folder.file(`${randomUUID()}.db`), {
      clock: { now: () => time.now, monotonic: () => performance.now() },
    })
    return {
      store: new SqliteAttempts(database),
      setTime: async (now) => {
        time.now = now
      },
    }
  }, 3_000)
})

const replays = await openFile(folder.file('replays.db'))
after(() => replays[Symbol.dispose]())
let count = 0
replayMemoryConforms(() => {
  count += 1
  const keys = new DerivedKeys(Buffer.from(`keys ${count}`)) // so that none knows another's uses
  return new SqliteReplays(replays, keys)
})
