// `countersign completion`: what the function of the script for bash offers where several words are possible. Completion at a
// prompt, and the other shells: shells.test.ts.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { countersign } from '../run.ts'

const scriptOf = async (shell: string): Promise<string> => {
  const { status, stdout, stderr } = await countersign(['completion', shell])
  assert.deepEqual([status, stderr], [0, ''])
  return stdout
}

/** What bash offers for a command line that ends with the word to complete. */
const offered = (script: string, words: readonly string[]): readonly string[] => {
  const program = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _countersign; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', program, 'bash', ...words], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout.split('\n').filter(Boolean)
}

describe('in bash', async () => {
  const script = await scriptOf('bash')
  const CASES: readonly { readonly words: readonly string[]; readonly want: readonly string[] }[] =
    [
      { words: ['aut'], want: ['authz'] },
      { words: ['c'], want: ['ca', 'credential', 'completion'] },
      { words: ['ca', 'c'], want: ['create', 'client', 'csr'] },
      { words: ['keys', 'sig'], want: ['signing'] },
      { words: ['authz', '--c'], want: ['--config'] },
      { words: ['validate', '--config', 'x.yaml', '--st'], want: ['--strict'] },
      { words: ['envoy', 'generate', '--out'], want: ['--output'] },
      { words: ['health', 'x'], want: [] },
    ]
  for (const { words, want } of CASES) {
    it(`countersign ${words.join(' ')}: ${want.join(' ') || 'files'}`, () =>
      assert.deepEqual(offered(script, ['countersign', ...words]), want))
  }
})
