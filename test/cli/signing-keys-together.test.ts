// `countersign keys signing`, several at the same time, or after one that failed: no change is lost, and
// a concurrent reader reads a complete folder.
//
// Slow: it starts a process for each command.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { changeSigningKeys } from '../../src/cli/signing-key-writer.ts'
import { rotation } from '../../src/keys/signing-key-changes.ts'
import { noKeys, someKeys, type Keys } from './signing-keys-folder.ts'

/** Reads a folder as often as it can, and says how often that was. It must always be whole. */
const readUntil = async (signal: AbortSignal, keys: Keys): Promise<number> => {
  let count = 0
  while (!signal.aborted) {
    await keys.read()
    count += 1
  }
  return count
}

describe('simultaneous commands of countersign keys signing', { concurrency: true }, () => {
  it('lose no change of each other, and create no key twice', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    const [es = '', ed = ''] = await keys.kids()
    await Promise.all([
      keys.mustApart('revoke', es),
      keys.mustApart('revoke', ed),
      keys.mustApart('create', '-a', 'RS256'),
      keys.mustApart('prune'),
    ])
    const states = [...(await keys.states())].toSorted()
    assert.deepEqual(states, [
      'ES256 revoked',
      'ES256 signing',
      'EdDSA revoked',
      'EdDSA signing',
      'RS256 signing',
    ])
    await Promise.all([
      keys.mustApart('rotate'),
      keys.mustApart('rotate'),
      keys.mustApart('rotate'),
    ])
    assert.equal((await keys.states()).filter((state) => state.endsWith('next')).length, 3)
    assert.ok(!(await readdir(keys.path)).some((name) => name.startsWith('.')))
    await keys.read()
  })

  it('create one folder', async () => {
    await using keys = await noKeys()
    await Promise.all([
      keys.mustApart('create'),
      keys.mustApart('create'),
      keys.mustApart('create'),
    ])
    assert.deepEqual(await keys.states(), ['ES256 signing'])
  })

  it('never leave a list that names a missing file', async () => {
    await using keys = await someKeys('ES256', 'EdDSA')
    const ended = new AbortController()
    const readings = readUntil(ended.signal, keys)
    for (let count = 0; count < 40; count++) {
      const overlap = count % 3 === 0 ? 3_600_000 : 0
      await changeSigningKeys({
        folder: keys.path,
        plan: (list, now) => rotation(list, { algorithms: ['ES256', 'EdDSA'], overlap }, now),
      })
    }
    ended.abort()
    assert.ok((await readings) > 5) // however little of the machine there was for it
  })

  it('change nothing after another took over their lock, and leave a complete folder', async () => {
    await using keys = await someKeys('ES256')
    const before = await keys.entries()
    const overtaken = changeSigningKeys({
      folder: keys.path,
      plan(list, now) {
        writeFileSync(keys.file('.lock'), 'process 2 on nowhere, x\n')
        return rotation(list, { algorithms: ['ES256'], overlap: 0 }, now)
      },
    })
    await assert.rejects(overtaken, {
      code: 'usage',
      message: /nothing was changed. Run the command again$/,
    })
    assert.deepEqual(await keys.entries(), before)
    await keys.read()
    // Its new key remains and is in no list, and the lock belongs to the other command.
    assert.equal((await readdir(keys.path)).length, 4)
    await rm(keys.file('.lock'))
    await keys.must('prune')
    assert.equal((await readdir(keys.path)).length, 2)
  })

  it('take over the lock of a killed one', async () => {
    await using keys = await someKeys('ES256')
    await writeFile(keys.file('.lock'), 'process 1 on nowhere, x\n')
    const then = new Date(Date.now() - 120_000)
    await utimes(keys.file('.lock'), then, then)
    await keys.must('rotate')
    assert.equal((await readdir(keys.path)).length, 3)
  })
})
