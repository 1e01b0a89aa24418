// The verification of audit logs: what was done to a log is found, and where.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, it } from 'node:test'
import { findingsOf, makeLog, verifyLines, verifyTexts } from './logs.ts'

const at = (lines: readonly string[], index: number): string => lines[index] ?? assert.fail()

/** A line with a hash of its own, as a forger makes it. */
const sealed = (line: string, before: string): string => {
  const body = line.slice(0, line.lastIndexOf(',"hash":"'))
  return `${body},"hash":"${hash('sha256', body + hashOf(before), 'base64url')}"}`
}

const hashOf = (line: string): string => line.slice(-45, -2)

const swapped = (lines: readonly string[], one: number, other: number): readonly string[] =>
  lines.with(one, at(lines, other)).with(other, at(lines, one))

const changed = (line: string): string => line.replace('countersign.yaml', 'countersign.yml')

interface Case {
  readonly name: string
  readonly tamper: (lines: readonly string[]) => readonly string[]
  readonly want: readonly string[]
}

// Of a log with 10 lines: `log-opened` and 9 events. Line 5 is index 4.
const CASES: readonly Case[] = [
  { name: 'nothing', tamper: (lines) => lines, want: [] },
  {
    name: 'a changed record',
    tamper: (lines) => lines.with(4, changed(at(lines, 4))),
    want: ['changed a:5'],
  },
  {
    name: 'a changed record with a new hash',
    tamper: (lines) => lines.with(4, sealed(changed(at(lines, 4)), at(lines, 3))),
    want: ['changed a:6'],
  },
  {
    name: 'a changed hash',
    tamper: (lines) => lines.with(4, at(lines, 4).replace(/.{45}$/, `${'A'.repeat(43)}"}`)),
    want: ['changed a:5'],
  },
  {
    name: 'two changed records in a row',
    tamper: (lines) => lines.with(4, changed(at(lines, 4))).with(5, changed(at(lines, 5))),
    want: ['changed a:5', 'changed a:6'],
  },
  {
    name: 'the changed last record',
    tamper: (lines) => lines.with(9, changed(at(lines, 9))),
    want: ['changed a:10'],
  },
  {
    name: 'the changed first record',
    tamper: (lines) => lines.with(0, at(lines, 0).replace('"pid":', '"pid":1')),
    want: ['changed a:1'],
  },
  {
    name: 'a removed record',
    tamper: (lines) => lines.toSpliced(4, 1),
    want: ['missing a:5'],
  },
  {
    name: 'three removed records',
    tamper: (lines) => lines.toSpliced(4, 3),
    want: ['missing a:5'],
  },
  {
    name: 'a removed beginning',
    tamper: (lines) => lines.slice(3),
    want: ['no-beginning a:1'],
  },
  {
    name: 'a removed record, with those below numbered anew',
    tamper: (lines) =>
      lines.toSpliced(4, 1).map((line, index) => line.replace(/"seq":\d+/, `"seq":${index + 1}`)),
    want: ['changed a:5', 'changed a:6', 'changed a:7', 'changed a:8', 'changed a:9'],
  },
  {
    name: 'a copied record',
    tamper: (lines) => lines.toSpliced(6, 0, at(lines, 2)),
    want: ['moved a:7', 'repeated a:7'],
  },
  {
    name: 'an inserted event without a place in the chain',
    tamper: (lines) =>
      lines.toSpliced(4, 0, '{"log":"audit","event":"configuration-loaded","generation":1}'),
    want: ['unchained a:5'],
  },
  {
    name: 'such an event without the mark of the log',
    tamper: (lines) => lines.toSpliced(4, 0, '{"event":"configuration-loaded","generation":1}'),
    want: ['unchained a:5'],
  },
  {
    name: 'such an event before the first record',
    tamper: (lines) => ['{"log":"audit","event":"configuration-loaded"}', ...lines],
    want: ['unchained a:1'],
  },
  {
    name: 'a line that is not JSON',
    tamper: (lines) => lines.toSpliced(4, 0, '{"log":"aud'),
    want: ['unreadable a:5'],
  },
  {
    name: 'two records in the wrong order',
    tamper: (lines) => swapped(lines, 4, 5),
    want: ['moved a:6'],
  },
  {
    name: 'a record that was moved to the end',
    tamper: (lines) => [...lines.toSpliced(4, 1), at(lines, 4)],
    want: ['moved a:10'],
  },
  {
    name: 'an inserted record with a right hash',
    tamper: (lines) => lines.toSpliced(5, 0, sealed(at(lines, 5), at(lines, 4))),
    want: ['moved a:7', 'repeated a:7'],
  },
  {
    name: 'a line of another program',
    tamper: (lines) => lines.toSpliced(4, 0, '{"level":"info","msg":"listening"}'),
    want: [],
  },
]

describe('the verification of one file', () => {
  for (const { name, tamper, want } of CASES) {
    it(`finds ${name}`, async () => {
      const [lines = []] = await makeLog(9)
      assert.equal(lines.length, 10)
      assert.deepEqual(findingsOf(await verifyLines(tamper(lines))), want)
    })
  }

  it('finds a last line that is cut off', async () => {
    const [lines = []] = await makeLog(9)
    const text = `${lines.join('\n')}\n`
    assert.deepEqual(findingsOf(await verifyTexts(text.slice(0, -20))), ['incomplete a:10'])
    assert.deepEqual(findingsOf(await verifyTexts(text.slice(0, -1))), ['incomplete a:10'])
  })

  it('names chain, sequence number and what is missing', async () => {
    const [lines = []] = await makeLog(9)
    const { findings, chains } = await verifyLines(lines.toSpliced(4, 3))
    const [chain] = chains
    const want = {
      kind: 'missing',
      file: 'a',
      line: 5,
      chain: chain?.chain,
      sequence: 8,
      text: 'records 5 to 7 are missing, after a:4',
    }
    assert.deepEqual(findings, [want])
  })

  it('says what is proven: the writer, the records, and the last hash', async () => {
    const [lines = []] = await makeLog(9)
    const { chains } = await verifyLines(lines)
    const [chain] = chains
    assert.equal(chain?.writer, 'authz')
    assert.deepEqual([chain.first, chain.last, chain.records], [1, 10, 10])
    assert.equal(chain.hash, hashOf(at(lines, 9)))
  })

  it('does not find a removed end: only a later record proves it', async () => {
    const [lines = []] = await makeLog(9)
    assert.deepEqual(findingsOf(await verifyLines(lines.slice(0, 6))), [])
  })
})

describe('the verification of several files', () => {
  it('accepts the files of a chain in any order', async () => {
    const [one = [], two = [], three = []] = await makeLog(3, 4, 5)
    const result = await verifyLines(three, one, two)
    assert.deepEqual(findingsOf(result), [])
    assert.deepEqual(
      result.chains.map(({ records, files }) => ({ records, files })),
      [{ records: 15, files: ['b', 'c', 'a'] }],
    )
  })

  it('finds a file that is missing between two files', async () => {
    const [one = [], , three = []] = await makeLog(3, 4, 5)
    assert.deepEqual(findingsOf(await verifyLines(one, three)), ['missing b:1'])
  })

  it('accepts that older files are removed, and reports it', async () => {
    const [, two = [], three = []] = await makeLog(3, 4, 5)
    const result = await verifyLines(two, three)
    assert.deepEqual(findingsOf(result), [])
    assert.match(result.notes[0]?.text ?? '', /begins with record 5/)
  })

  it('finds the removed end of a file that another one follows', async () => {
    const [one = [], two = []] = await makeLog(3, 4)
    assert.deepEqual(findingsOf(await verifyLines(one.slice(0, -1), two)), ['missing b:1'])
  })

  it('finds a record at the end of a file that was changed, with a new hash', async () => {
    const [one = [], two = []] = await makeLog(3, 4)
    const forged = one.with(3, sealed(changed(at(one, 3)), at(one, 2)))
    assert.deepEqual(findingsOf(await verifyLines(forged, two)), ['changed b:1'])
  })

  it('finds that a file was replaced by one of another chain', async () => {
    const [one = [], , three = []] = await makeLog(3, 4, 5)
    const [other = []] = await makeLog(4)
    assert.deepEqual(findingsOf(await verifyLines(one, other, three)), ['missing c:1'])
  })

  it('keeps chains apart that are in one stream', async () => {
    const [[one = []], [other = []]] = await Promise.all([makeLog(4), makeLog(4)])
    const mixed = one.flatMap((line, index) => [line, at(other, index)])
    const result = await verifyLines(mixed)
    assert.deepEqual(findingsOf(result), [])
    assert.equal(result.chains.length, 2)
    assert.deepEqual(findingsOf(await verifyLines(mixed.toSpliced(4, 1))), ['missing a:6'])
  })

  it('accepts a file that was split between two records', async () => {
    const [lines = []] = await makeLog(9)
    assert.deepEqual(findingsOf(await verifyLines(lines.slice(4), lines.slice(0, 4))), [])
    const wrong = lines.with(4, changed(at(lines, 4)))
    assert.deepEqual(findingsOf(await verifyLines(wrong.slice(4), lines.slice(0, 4))), [
      'changed a:1',
    ])
  })

  it('accepts a copy of a file, and finds a fork', async () => {
    const [lines = []] = await makeLog(9)
    const copied = await verifyLines(lines, lines)
    assert.deepEqual(findingsOf(copied), [])
    assert.match(copied.notes[0]?.text ?? '', /are those of a, too/)
    const fork = lines.with(9, sealed(changed(at(lines, 9)), at(lines, 8)))
    assert.deepEqual(findingsOf(await verifyLines(lines, fork)), ['repeated b:1'])
  })
})

describe('the verification of a log that an older release wrote', () => {
  it('says that nothing proves it', async () => {
    const old = ['{"log":"audit","time":"2026-11-01T00:00:00Z","event":"decision"}']
    const result = await verifyLines(old)
    assert.deepEqual(findingsOf(result), ['unchained a:1'])
    assert.equal(result.chains.length, 0)
  })
})
