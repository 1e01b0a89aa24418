// Progress of long work: on a terminal, and never elsewhere. Colours: on a terminal, unless NO_COLOR is set.

import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { paintFor } from '../../src/cli/colour.ts'
import type { CommandContext } from '../../src/cli/context.ts'
import { startProgress, withProgress } from '../../src/cli/progress.ts'

const LINE = '\r\u001b[2K'

interface Screen {
  readonly context: CommandContext
  readonly shown: () => string
}

const screen = ({
  isTTY = true,
  env = {},
}: {
  isTTY?: boolean
  env?: NodeJS.ProcessEnv
}): Screen => {
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const stdout = new PassThrough()
  const process = { argv: [], env, stdin: Readable.from([]), stdout, stderr }
  return { context: { process, console }, shown: () => String(stderr.read() ?? '') }
}

describe('progress', () => {
  it('is shown after half a second, ten times a second at most, and removed at the end', () => {
    const { context, shown } = screen({})
    let time = 0
    using progress = startProgress(context, 'reading', { now: () => time })
    for (; time <= 700; time += 50) progress.update(`${time} ms`)
    assert.equal(shown(), `${LINE}reading: 500 ms${LINE}reading: 600 ms${LINE}reading: 700 ms`)
    progress.end()
    assert.equal(shown(), LINE)
    progress.end()
    assert.equal(shown(), '')
  })

  it('of work that ends at once is not shown', () => {
    const { context, shown } = screen({})
    using progress = startProgress(context, 'reading', { now: () => 0 })
    progress.update('all')
    progress.end()
    assert.equal(shown(), '')
  })

  for (const [name, where] of Object.entries({
    'a pipe': { isTTY: false },
    'a terminal without cursor': { env: { TERM: 'dumb' } },
  })) {
    it(`is not written to ${name}`, () => {
      const { context, shown } = screen(where)
      using progress = startProgress(context, 'reading', { delay: 0 })
      progress.update('all')
      progress.end()
      assert.equal(shown(), '')
    })
  }

  it('leaves the chunks as they are', async () => {
    const { context, shown } = screen({})
    using progress = startProgress(context, 'reading', { delay: 0 })
    const chunks = Readable.from([Buffer.alloc(1_500_000, 'a'), Buffer.from('b')])
    const read = await Array.fromAsync(withProgress(chunks, progress))
    assert.deepEqual(
      read.map(({ length }) => length),
      [1_500_000, 1],
    )
    assert.match(shown(), /reading: 1 MB/)
  })
})

describe('colours', () => {
  const CASES = [
    { name: 'a terminal', isTTY: true, env: {}, want: '\u001b[31mx\u001b[39m' },
    {
      name: 'a terminal with an empty NO_COLOR',
      isTTY: true,
      env: { NO_COLOR: '' },
      want: '\u001b[31mx\u001b[39m',
    },
    { name: 'a terminal with NO_COLOR', isTTY: true, env: { NO_COLOR: '1' }, want: 'x' },
    { name: 'a dumb terminal', isTTY: true, env: { TERM: 'dumb' }, want: 'x' },
    { name: 'a pipe', isTTY: false, env: {}, want: 'x' },
    {
      name: 'a pipe with FORCE_COLOR',
      isTTY: false,
      env: { FORCE_COLOR: '1' },
      want: '\u001b[31mx\u001b[39m',
    },
    {
      name: 'a dumb terminal with FORCE_COLOR',
      isTTY: true,
      env: { FORCE_COLOR: '1', TERM: 'dumb' },
      want: '\u001b[31mx\u001b[39m',
    },
    { name: 'a terminal with FORCE_COLOR=0', isTTY: true, env: { FORCE_COLOR: '0' }, want: 'x' },
    {
      name: 'a terminal with FORCE_COLOR and NO_COLOR',
      isTTY: true,
      env: { FORCE_COLOR: '1', NO_COLOR: '1' },
      want: 'x',
    },
  ]
  for (const { name, isTTY, env, want } of CASES) {
    it(`of ${name}`, () => {
      const stream = Object.assign(new PassThrough(), { isTTY })
      assert.equal(paintFor(stream, env)('red', 'x'), want)
    })
  }
})
