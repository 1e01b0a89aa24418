// Descriptions that are read off the main thread.
//
// Slow: it reads texts of many megabytes in worker threads.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import { ApiDescriptions } from '../../../src/request/openapi/descriptions.ts'
import { readApiDescription } from '../../../src/request/openapi/document.ts'
import { openapi, operation, paths } from './documents.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/openapi')

describe('ApiDescriptions', () => {
  it('reads what the reader reads', async () => {
    const text = JSON.stringify(openapi({ paths }))
    const read = await new ApiDescriptions().read(text, '/v1')
    assert.deepEqual(read, await readApiDescription(text, { base: '/v1' }))
  })

  it('reads each text once, and another base anew', async () => {
    const descriptions = new ApiDescriptions()
    const text = JSON.stringify(openapi({ paths }))
    const first = await descriptions.read(text, undefined)
    assert.equal(await descriptions.read(text, undefined), first)
    assert.equal((await descriptions.read(text, '/v2')).base, '/v2')
    const other = JSON.stringify(openapi({ paths: { '/b': { get: operation() } } }))
    assert.deepEqual(
      (await descriptions.read(other, undefined)).operations.map(({ template }) => template),
      ['/b'],
    )
  })

  it('says what the reader says of a text that is none', async () => {
    await assert.rejects(new ApiDescriptions().read('openapi: 3.0.3', undefined), {
      code: 'malformed-openapi',
    })
  })

  describe('gives up one', () => {
    // The schema wants parameters to differ, which is seen by comparing each with every other.
    const name = (index: number) => ({ name: `p${index}`, in: 'query', schema: {} })
    const parameters = Array.from({ length: 20_000 }, (_, index) => name(index))
    const many = JSON.stringify(openapi({ paths: { '/a': { get: operation({ parameters }) } } }))

    it('ends a description that takes too long', async () => {
      const limits = { time: 500, memory: 1024 }
      const descriptions = new ApiDescriptions(limits, { allWarnings: true })
      const started = performance.now()
      await assert.rejects(descriptions.read(many, undefined), {
        code: 'malformed-openapi',
        message: 'takes more than 0.5 s to be read; leave out what is not needed',
      })
      assert.ok(performance.now() - started < 5_000)
    })

    it('reads without the schema what takes hours with it', async () => {
      const { operations } = await new ApiDescriptions().read(many, undefined)
      assert.equal(operations.length, 1)
    })

    it('ends a description that takes too much memory', async () => {
      const empty = Array.from({ length: 1_000_000 }, () => ({}))
      const text = JSON.stringify(openapi({ paths, 'x-many': empty }))
      const descriptions = new ApiDescriptions({ time: 60_000, memory: 16 })
      await assert.rejects(descriptions.read(text, undefined), {
        code: 'malformed-openapi',
        message: 'takes more than 16 MiB of memory to be read; leave out what is not needed',
      })
    })

    it('reads the next after one that was given up', async () => {
      const next = JSON.stringify(openapi({ paths }))
      const descriptions = new ApiDescriptions({ time: 10_000, memory: 256 })
      assert.ok((await descriptions.read(next, undefined)).operations.length > 0)
    })
  })

  it('does not block the event loop meanwhile', async () => {
    const text = await readFile(join(FIXTURES, 'docker-engine-1.53.yaml'), 'utf8')
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const descriptions = new ApiDescriptions()
    const started = performance.now()
    delay.enable()
    const { operations } = await descriptions.read(text, undefined)
    delay.disable()
    const took = performance.now() - started
    assert.equal(operations.length, 107)
    // Read here, it would be nearly all of the time.
    const longest = delay.max / 1e6
    assert.ok(longest < took / 2, `${longest} ms of ${took} ms at a stretch`)
  })
})
