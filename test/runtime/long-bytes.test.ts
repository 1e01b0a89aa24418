// Hashing long files: the same digest, in little memory.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { sha256InSlices, sha256OfFile } from '../../src/runtime/long-bytes.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

suite('the SHA-256 of many bytes', () => {
  for (const length of [0, 1, 4_095, 4_096, 262_143, 262_144, 1_000_000]) {
    test(`is that of a file, and of a buffer, of ${length} bytes`, async () => {
      await using folder = await temporaryFolder()
      const bytes = randomBytes(length)
      await writeFile(folder.file('a'), bytes)
      const want = digestOf(bytes)
      assert.equal((await sha256OfFile(folder.file('a'))).toString('hex'), want)
      assert.equal((await sha256InSlices(bytes)).toString('hex'), want)
    })
  }

  test('is that of a file without a size', async () => {
    const version = await sha256OfFile('/proc/version')
    assert.equal(version.length, 32)
    assert.notEqual(version.toString('hex'), digestOf(Buffer.alloc(0)))
  })

  test('of a long file takes a piece of memory, which no collection of the heap has to follow', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), Buffer.alloc(16_000_000))
    const before = process.memoryUsage().arrayBuffers
    await sha256OfFile(folder.file('a'))
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(grown < 2_000_000, `${grown} bytes`)
  })
})
