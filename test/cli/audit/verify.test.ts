// `countersign audit verify`: packed files, the text, the JSON lines and the exit status.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { temporaryFolder } from '../../servers/temporary.ts'
import { makeLog } from '../../tools/audit-log/logs.ts'
import { countersign } from '../run.ts'

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

describe('countersign audit verify', () => {
  it('verifies rotated and packed files in any order', async () => {
    await using folder = await temporaryFolder()
    const [one = [], two = [], three = []] = await makeLog(3, 4, 5)
    const files = ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2.gz'].map((file) =>
      folder.file(file),
    )
    const [last = '', middle = '', first = ''] = files
    await writeFile(first, gzipSync(textOf(one)))
    await writeFile(middle, zstdCompressSync(textOf(two)))
    await writeFile(last, textOf(three))
    const { status, stdout, stderr } = await countersign(['audit', 'verify', last, first, middle])
    assert.equal(stderr, '')
    assert.match(stdout, /^chain \S{12} of authz on \S+: records 1 to 15, .* in 3 files$/m)
    assert.match(stdout, /^intact: 15 records, 1 chain, 3 files$/m)
    assert.equal(status, 0)
  })

  it('names file and line of what is wrong, and ends with 1', async () => {
    await using folder = await temporaryFolder()
    const [lines = []] = await makeLog(5)
    const file = folder.file('audit.jsonl')
    await writeFile(file, textOf(lines.toSpliced(2, 1)))
    const { status, stdout, stderr } = await countersign(['audit', 'verify', file])
    assert.equal(stderr, `${file}:3: missing: record 3 is missing, after ${file}:2\n`)
    assert.match(stdout, /^NOT intact, 1 finding: 5 records, 1 chain, 1 file$/m)
    assert.equal(status, 1)
  })

  it('prints JSON lines', async () => {
    await using folder = await temporaryFolder()
    const [lines = []] = await makeLog(5)
    const file = folder.file('audit.jsonl')
    await writeFile(file, textOf(lines.toSpliced(2, 1)))
    const { status, stdout } = await countersign(['audit', 'verify', '--json', file])
    const printed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      printed.map(({ kind, finding, line, sequence }) => [kind, finding, line, sequence]),
      [
        ['finding', 'missing', 3, 4],
        ['chain', undefined, undefined, undefined],
        ['summary', undefined, undefined, undefined],
      ],
    )
    assert.equal(printed.at(-1).intact, false)
    assert.equal(status, 1)
  })

  it('accepts no log without a chain as proven', async () => {
    const { status, stdout } = await countersign(['audit', 'verify', '-'], '')
    assert.match(stdout, /^no record of a chain: 0 records/m)
    assert.equal(status, 1)
  })

  it('ends with 2 where a file cannot be read', async () => {
    const { status, stderr } = await countersign(['audit', 'verify', '/nonexistent/audit.jsonl'])
    assert.match(stderr, /^countersign: \/nonexistent\/audit\.jsonl cannot be read: ENOENT/)
    assert.equal(status, 2)
  })
})
