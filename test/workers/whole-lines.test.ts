// Lines of several workers in one output.

import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { memoryLogger } from '../fakes/logger.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { WholeLines } from '../../src/workers/whole-lines.ts'

const LONG = 'x'.repeat(100_000)

describe('the output of workers', () => {
  it('consists of whole lines, in which ever parts they come', async () => {
    await using folder = await temporaryFolder()
    const descriptor = openSync(folder.file('out'), 'w')
    const lines = new WholeLines(memoryLogger().logger, descriptor)
    const sources = [new PassThrough(), new PassThrough()]
    const copied = Promise.all(sources.map((source) => lines.copy(source)))
    for (const [index, source] of sources.entries()) {
      for (let line = 0; line < 20; line += 1) {
        source.write(`${index}-${line}-${LONG.slice(0, 50_000)}`)
        source.write(`${LONG.slice(50_000)}-end\n`)
      }
      source.end('cut')
    }
    await copied
    closeSync(descriptor)
    const written = readFileSync(folder.file('out'), 'utf8').split('\n')
    assert.equal(written.pop(), '')
    assert.deepEqual(
      written.filter((line) => line !== 'cut' && !/^\d-\d+-x{100000}-end$/.test(line)),
      [],
    )
    assert.equal(written.length, 42)
  })

  it('is closed for a worker when it cannot be written', async () => {
    await using folder = await temporaryFolder()
    const descriptor = openSync(folder.file('out'), 'w')
    closeSync(descriptor)
    const source = new PassThrough()
    const { logger, lines } = memoryLogger()
    source.write('line\n')
    await new WholeLines(logger, descriptor).copy(source)
    assert.ok(source.destroyed)
    assert.match(JSON.stringify(lines), /standard output of a worker cannot be written/)
  })
})
