// Completion of commands, options, their values and files, in bash, zsh and fish themselves.
//
// Slow: it starts a shell for each line.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign } from '../run.ts'
import { shellWith, SHELLS, skipWithoutShell, type Complete } from './shells.ts'

const FILE = 'my-file.yaml'

const CASES: readonly {
  readonly name: string
  readonly line: string
  readonly want: readonly string[]
}[] = [
  { name: 'a command', line: 'aut', want: ['authz'] },
  { name: 'a command of a command', line: 'keys sig', want: ['keys', 'signing'] },
  { name: 'a command of that', line: 'keys signing cre', want: ['keys', 'signing', 'create'] },
  { name: 'an option', line: 'validate --str', want: ['validate', '--strict'] },
  { name: 'an option of every command', line: 'ca create --he', want: ['ca', 'create', '--help'] },
  { name: 'an option of the program', line: '--vers', want: ['--version'] },
  {
    name: 'an option after the value of another',
    line: `validate --config ${FILE} --str`,
    want: ['validate', '--config', FILE, '--strict'],
  },
  {
    name: 'a value of an option',
    line: 'ca create --key ec-p3',
    want: ['ca', 'create', '--key', 'ec-p384'],
  },
  { name: 'a value of an argument', line: 'completion fi', want: ['completion', 'fish'] },
  {
    name: 'a file for an option',
    line: 'authz --config my',
    want: ['authz', '--config', FILE],
  },
  {
    name: 'a file for an option of which nothing is typed',
    line: 'authz --config ',
    want: ['authz', '--config', FILE],
  },
  { name: 'a file for a short option', line: 'authz -c ', want: ['authz', '-c', FILE] },
  { name: 'a file for an argument', line: 'envoy lint my', want: ['envoy', 'lint', FILE] },
]

for (const shell of SHELLS) {
  describe(`${shell} completes`, { skip: skipWithoutShell(shell), concurrency: 2 }, () => {
    let folder: TemporaryFolder
    let complete: Complete
    before(async () => {
      folder = await temporaryFolder()
      const { status, stdout, stderr } = await countersign(['completion', shell])
      assert.deepEqual([status, stderr], [0, ''])
      complete = await shellWith(shell, stdout, folder)
      await writeFile(folder.file(`work/${FILE}`), '')
    })
    after(() => folder[Symbol.asyncDispose]())

    for (const { name, line, want } of CASES) {
      it(`${name}: countersign ${line}`, async () => assert.deepEqual(await complete(line), want))
    }
  })
}

it('another shell is refused', async () => {
  const { status, stderr } = await countersign(['completion', 'tcsh'])
  assert.equal(status, 1)
  assert.match(stderr, /bash, zsh, fish/)
})
