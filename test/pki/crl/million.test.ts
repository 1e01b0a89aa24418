// A CRL with a million entries: it is read, and the event loop serves requests meanwhile.
//
// Slow: it reads a CRL of 35 MB.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { CrlSource } from '../../../src/pki/crl/crl.ts'
import { readCrls } from '../../../src/pki/crl/document.ts'
import { sequence, time, unsigned } from '../../../src/x509/der.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { ca, TIMES } from './judging.ts'
import { crl, NOW } from '../revoking.ts'

const COUNT = 1_000_000
// 16 bytes, as most CAs have them.
const ENTRY = sequence(unsigned(Buffer.alloc(16, 0x5a)), time(NOW / 1_000 - 1))
const LAST_BYTES = 4 + 16 - 4

/** Even numbers from 0 on, in the last bytes of a serial number. */
const list = (): Buffer => {
  const entries = Buffer.alloc(COUNT * ENTRY.length, ENTRY)
  for (let index = 0; index < COUNT; index++) {
    entries.writeUInt32BE(2 * index, index * ENTRY.length + LAST_BYTES)
  }
  return entries
}

const numbered = (number: number): Buffer => {
  const serial = Buffer.alloc(16, 0x5a)
  serial.writeUInt32BE(number, 12)
  return serial
}

/** The CPU time of the longest turn of the event loop until the work is done, in milliseconds. */
const longestTurn = async (work: () => Promise<void>): Promise<number> => {
  let [longest, isDone] = [0, false]
  let last = cpuTime()
  const turn = (): void => {
    const now = cpuTime()
    longest = Math.max(longest, now - last)
    last = now
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isDone = true
  return longest
}

describe('a CRL with 1,000,000 entries', () => {
  it('is searched by serial number, and is read in many short turns', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('ca.crl')
    await writeFile(file, crl(ca, [], { list: list() }))
    const outcomes: string[] = []
    const longest = await longestTurn(async () => {
      const files = new ConfigurationFiles()
      const source = new CrlSource({
        files: readCrls(await files.read(file)),
        remote: [],
        ...TIMES,
        clock: new FakeClock(NOW),
      })
      const issued = ca.issued()
      for (const number of [0, 1_000_000, 2 * COUNT - 2, 1, 2 * COUNT - 1, 2 * COUNT]) {
        const certificate = { ...issued.certificate, serialNumber: numbered(number) }
        const { signal } = new AbortController()
        outcomes.push((await source.status({ ...issued, certificate }, signal)).outcome)
      }
      assert.equal(await files.changed(), false)
    })
    assert.deepEqual(outcomes, ['revoked', 'revoked', 'revoked', 'good', 'good', 'good'])
    // Some 5 ms; in one piece it would be more than 200.
    assert.ok(longest < 60, `${longest} ms`)
  })
})
