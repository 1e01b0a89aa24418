// A program of batch.test.ts: how many bytes the old generation of the heap grows by while records are added.

import { getHeapSpaceStatistics } from 'node:v8'
import { Batch } from '../../src/audit/batch.ts'
import { Chain } from '../../src/audit/chain.ts'
import { auditLine } from '../../src/audit/line.ts'

const RECORD = auditLine({ event: 'configuration-loaded', generation: 1, file: 'x' }, 0)
const batch = new Batch(new Chain())

const write = (count: number): void => {
  for (let index = 0; index < count; index += 1) {
    if (index % 100 === 0) {
      if (batch.isOpen) batch.take()
      batch.begin([RECORD], false)
    }
    batch.add(RECORD)
  }
}

const used = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ??
  0

write(100_000)
const before = used()
write(200_000)
process.stdout.write(`${used() - before}\n`)
