// The files of a log: each by its own first record, whatever inode it has.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Segments } from '../../../src/audit/forward/segments.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { makeLog } from '../../tools/audit-log/logs.ts'

describe('the files of an audit log', () => {
  it('are distinguished by their records where a new file has the inode of one that was deleted', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const texts = (await makeLog(1, 1)).map((lines) => `${lines.join('\n')}\n`)
    const segments = new Segments(path)
    for (let turn = 0; turn < 300; turn++) {
      const text = texts[turn % 2] ?? ''
      rmSync(path, { force: true })
      writeFileSync(path, text)
      const [segment] = await segments.list()
      assert.ok(text.includes(`"hash":"${segment?.first.hash}"`), `turn ${turn}`)
    }
  })
})
