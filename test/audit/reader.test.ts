// The audit log, read back: whatever is in the file, every line has its number.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAudit, type AuditLine } from '../../src/audit/reader.ts'
import { randomFrom } from '../fakes/random.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const linesOf = async (
  content: string | Uint8Array,
  size = 65_536,
): Promise<readonly AuditLine[]> => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return await Array.fromAsync(readAudit(inPieces(bytes, size)))
}

/** The numbers and outcomes of the lines. */
const summaryOf = (lines: readonly AuditLine[]): readonly string[] =>
  lines.map((line) => {
    const what = line.outcome === 'read' ? JSON.stringify(line.event) : line.why
    return `${line.line} ${what}`
  })

const LONG = 10 * 1_048_576

describe('reading an audit log', () => {
  const CASES: readonly {
    name: string
    input: string | Uint8Array
    want: readonly string[]
  }[] = [
    { name: 'yields nothing for an empty file', input: '', want: [] },
    {
      name: 'yields the object of each line',
      input: '{"a":1}\n{"b":2}\n',
      want: ['1 {"a":1}', '2 {"b":2}'],
    },
    {
      name: 'accepts a last line without a line end',
      input: '{}\n{"b":2}',
      want: ['1 {}', '2 {"b":2}'],
    },
    {
      name: 'reports a truncated last line',
      input: '{}\n{"b":',
      want: ['1 {}', '2 cut-off'],
    },
    {
      name: 'reports a last line that is truncated within a character',
      input: Buffer.from('{}\n{"b":"ü').subarray(0, -1),
      want: ['1 {}', '2 cut-off'],
    },
    {
      name: 'counts empty lines and skips them',
      input: '\n\n{}\n\n{}\n\n',
      want: ['3 {}', '5 {}'],
    },
    {
      name: 'accepts CR LF',
      input: '{"a":1}\r\n{}\r\n',
      want: ['1 {"a":1}', '2 {}'],
    },
    {
      name: 'continues after a line that is not JSON',
      input: '{"a":\nhello\n{}\n',
      want: ['1 not-json', '2 not-json', '3 {}'],
    },
    {
      name: 'reports values that are not objects',
      input: '[]\n"a"\n1\nnull\ntrue\n{}\n',
      want: [...[1, 2, 3, 4, 5].map((line) => `${line} not-an-object`), '6 {}'],
    },
    { name: 'hostile: NUL bytes', input: `${'\0'.repeat(5)}\n{}\n`, want: ['1 not-json', '2 {}'] },
    {
      name: 'hostile: a NUL in a value',
      input: '{"a":"\\u0000"}\n{"a":"\0"}\n',
      want: ['1 {"a":"\\u0000"}', '2 not-json'],
    },
    {
      name: 'hostile: bytes that are not UTF-8',
      input: Buffer.from([0x22, 0xff, 0x22, 0x0a, 0x7b, 0x7d, 0x0a]),
      want: ['1 not-utf8', '2 {}'],
    },
    {
      name: 'hostile: a line of 10 MB',
      input: `{}\n{"a":"${'x'.repeat(LONG)}"}\n{}\n`,
      want: ['1 {}', '2 too-long', '3 {}'],
    },
    {
      name: 'hostile: a last line of 10 MB',
      input: `{}\n${'{'.repeat(LONG)}`,
      want: ['1 {}', '2 too-long'],
    },
    {
      name: 'hostile: nesting without end',
      input: `${'['.repeat(500_000)}\n{}\n`,
      want: ['1 not-json', '2 {}'],
    },
    {
      name: 'hostile: __proto__ as a key',
      input: '{"__proto__":{"event":"decision"}}\n',
      want: ['1 {"__proto__":{"event":"decision"}}'],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      assert.deepEqual(summaryOf(await linesOf(input)), want)
      assert.deepEqual(summaryOf(await linesOf(input, 4_099)), want)
    })
  }

  it('does not change Object.prototype', async () => {
    await linesOf('{"__proto__":{"polluted":true}}\n')
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  it('yields the same for any chunks of bytes', async () => {
    const random = randomFrom(7)
    const pieces = ['{"ü":"€😀"}', '\n', '', 'x', '{"a":', '\0', '\r\n', '[1]', '\n\n']
    for (let round = 0; round < 200; round += 1) {
      const text = Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('')
      const [whole, single] = [await linesOf(text), await linesOf(text, 1 + random(3))]
      assert.deepEqual(single, whole, JSON.stringify(text))
    }
  })

  it('rejects where the file cannot be read', async () => {
    // oxlint-disable-next-line require-yield -- it fails before
    async function* failing(): AsyncGenerator<Uint8Array> {
      throw new Error('no such disk')
    }
    await assert.rejects(Array.fromAsync(readAudit(failing())), /no such disk/)
  })
})
