// How the pool runs test files, those that fail or end their process included.
//
// Slow: it starts some twenty processes.

import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { runFiles } from '../../scripts/tests/pool.ts'
import type { Result } from '../../scripts/tests/protocol.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const FILES = join(relative('.', import.meta.dirname), 'files')

const runNamed = async (names: readonly string[], shared = true): Promise<readonly Result[]> => {
  const results: Result[] = []
  const paths = names.map((name) => join(FILES, `${name}.ts`))
  await runFiles({ paths, shared }, { concurrency: 1, onResult: (result) => results.push(result) })
  assert.deepEqual(
    results.map(({ path }) => path),
    paths,
  )
  return results
}

const FAILURES = [
  { file: 'fails', problem: /^✖ a suite › fails \(test\/scripts\/files\/fails\.ts:6\)/ },
  { file: 'breaks-while-loading', problem: /cannot be loaded: Error: broken while loading/ },
  { file: 'ends-early', problem: /ended before its tests did: exit status 0/ },
  {
    file: 'fails-later',
    problem: /Test "passes, and throws when it has ended".*asynchronous activity.*thrown later/,
  },
  { file: 'sets-a-variable', problem: /leaves process\.env\.COUNTERSIGN_TEST_LEFT changed/ },
  { file: 'sets-the-exit-code', problem: /sets process\.exitCode to 3/ },
  { file: 'waits-for-nothing', problem: /Its tests did not end/ },
  { file: 'holds-no-test', problem: /^It holds no tests that ran/ },
] as const

describe('a process that runs several test files', { concurrency: 4 }, () => {
  for (const { file, problem } of FAILURES) {
    it(`reports the failure of the file that ${file.replaceAll('-', ' ')}`, async () => {
      const [before, failed, after] = await runNamed(['passes', file, 'reads-a-variable'])
      assert.deepEqual(before?.problems, [])
      assert.match(failed?.problems[0] ?? '', problem)
      assert.deepEqual(after?.problems, [])
    })
  }

  it('counts the tests and the skipped tests of each file', async () => {
    const results = await runNamed(['passes', 'has-hooks', 'reads-a-variable'])
    assert.deepEqual(
      results.map(({ tests, skipped }) => [tests, skipped]),
      [
        [2, 1],
        [1, 0],
        [1, 0],
      ],
    )
  })

  it('runs the hooks of a file for that file alone', async () => {
    const results = await runNamed(['has-hooks', 'passes', 'reads-a-variable'])
    assert.deepEqual(
      results.flatMap(({ problems }) => problems),
      [],
    )
  })
})

describe('while cores are idle', () => {
  const WAITING = ['waits-for-a-file', 'writes-a-file'].map((name) => join(FILES, `${name}.ts`))

  it('a file that waits leaves its turn to another', async () => {
    await using folder = await temporaryFolder()
    process.env['COUNTERSIGN_TEST_FILE'] = folder.file('written')
    const results: Result[] = []
    await runFiles(
      { paths: WAITING, shared: true },
      {
        concurrency: 1,
        most: 2,
        idleCores: () => 1,
        onResult: (result) => results.push(result),
      },
    )
    delete process.env['COUNTERSIGN_TEST_FILE']
    assert.deepEqual(
      results.flatMap(({ problems }) => problems),
      [],
    )
    assert.equal(results.length, 2)
  })
})

describe('a process for each test file', () => {
  it('may be left in any state', async () => {
    const [sets, reads] = await runNamed(['sets-a-variable', 'reads-a-variable'], false)
    assert.deepEqual([sets?.problems, reads?.problems], [[], []])
  })
})
