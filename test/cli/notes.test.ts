// Examples and exit codes at the end of the help of each command.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { leaves } from '../../scripts/reference/cli.ts'
import { NOTES, usageExitCode } from '../../src/cli/notes.ts'
import { countersign } from './run.ts'

const commands = (await leaves()).map(({ words }) => words.join(' '))

describe('the notes of commands', () => {
  it('are those of the commands that exist', () => {
    assert.deepEqual(Object.keys(NOTES).toSorted(), commands.toSorted())
  })

  for (const command of commands) {
    it(`end the help of ${command} with an example of it and its exit codes`, async () => {
      const { stdout } = await countersign([...command.split(' '), '--help'])
      assert.match(stdout, new RegExp(`^ *countersign ${command}\\b`, 'm'))
      assert.match(stdout, /\n\nExit codes:\n {2}0 {2}\S[^]*\n$/)
      assert.equal(stdout.split('Exit codes:').length, 2)
    })
  }
})

describe('invalid options', () => {
  const CASES: readonly { readonly args: readonly string[]; readonly want: number }[] = [
    { args: ['validate', '--bogus'], want: 1 },
    { args: ['test', '--bogus'], want: 2 },
    { args: ['trace', '--bogus'], want: 2 },
    { args: ['envoy', 'lint', '--bogus'], want: 2 },
    { args: ['envoy', 'generate', '--bogus'], want: 1 },
    { args: ['openapi', 'diff', 'only-one.yaml'], want: 2 },
    { args: ['no-such-command'], want: 1 },
  ]
  for (const { args, want } of CASES) {
    it(`end countersign ${args.join(' ')} with ${want}`, async () => {
      const { status, stderr } = await countersign(args)
      assert.equal(status, want)
      assert.match(stderr, /^error: /)
      assert.equal(usageExitCode(args), want)
    })
  }
})
