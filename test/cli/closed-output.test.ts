// A reader that leaves early, such as `head`, ends no command with a stack trace.
//
// Slow: it starts processes.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'

const COMMAND = join(import.meta.dirname, '../../src/countersign.ts')

/** Runs a command whose standard output nothing reads; its status and standard error. */
const unread = async (args: readonly string[]): Promise<readonly [unknown, string]> => {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return [status, stderr]
}

describe('a command whose output nothing reads', { concurrency: true }, () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['--help'],
    ['--version'],
    ['ca', 'create', '--help'],
    ['completion', 'bash'],
    ['schema', 'countersign'],
  ]
  for (const args of COMMANDS) {
    it(`ends with 0 and without a word: ${args.join(' ')}`, async () => {
      assert.deepEqual(await unread(args), [0, ''])
    })
  }

  it('ends with its own status where it fails: --no-such-option', async () => {
    const [status, stderr] = await unread(['--no-such-option'])
    assert.equal(status, 1)
    assert.match(stderr, /unknown option/)
  })
})
