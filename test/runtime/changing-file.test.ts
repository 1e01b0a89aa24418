// A file that is read again now and then.

import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ChangingFile } from '../../src/runtime/changing-file.ts'
import { FakeClock } from '../fakes/clock.ts'
import { temporaryFolder } from '../servers/temporary.ts'

describe('a changing file', () => {
  it('is what it was for a while, and then what it is', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('token')
    const clock = new FakeClock()
    const file = new ChangingFile({ path, every: 1_000, clock })
    const read = async (): Promise<string> => (await file.read()).toString()
    await assert.rejects(read(), /ENOENT/)

    await writeFile(path, 'one')
    assert.equal(await read(), 'one')
    await writeFile(path, 'two')
    clock.advance(999)
    assert.equal(await read(), 'one')
    clock.advance(1)
    assert.equal(await read(), 'two')

    await writeFile(path, 'three')
    file.expire()
    assert.equal(await read(), 'three')

    await rm(path)
    file.expire()
    assert.equal(await read(), 'three')
    await writeFile(path, 'four')
    clock.advance(1_000)
    assert.equal(await read(), 'four')
  })
})
