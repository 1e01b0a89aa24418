// Why a file cannot be written: by what the system itself reports.

import assert from 'node:assert/strict'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { describeFileFault } from '../../src/runtime/file-fault.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const failureOf = (act: () => void): unknown => {
  try {
    act()
  } catch (cause) {
    return cause
  }
  return assert.fail('it did not fail')
}

const failed = (code: string): Error => Object.assign(new Error('system text'), { code })

describe('the reason for which a file cannot be written', () => {
  const CASES: readonly {
    readonly name: string
    readonly path: string
    readonly act?: (path: string) => void
    readonly cause?: unknown
    readonly want: string
  }[] = [
    {
      name: 'its folder is missing',
      path: 'none/a',
      act: (path) => openSync(path, 'a'),
      want: 'the folder F/none does not exist: make it',
    },
    {
      name: 'it is a folder',
      path: 'folder',
      act: (path) => openSync(path, 'a'),
      want: 'F/folder is a folder, not a file',
    },
    {
      name: 'it is below a file',
      path: 'file/b/a',
      act: (path) => openSync(path, 'a'),
      want: 'F/file is a file, not a folder',
    },
    {
      name: 'a folder cannot be made, since a file has its name',
      path: 'file/a',
      act: (path) => mkdirSync(path.slice(0, -2), { recursive: true }),
      want: 'F/file is a file, not a folder',
    },
    {
      name: 'this user may not write it',
      path: 'a',
      cause: failed('EACCES'),
      want: 'F/a may not be written by this user; check its owner and mode, and those of its folder',
    },
    {
      name: 'the file system is read-only',
      path: 'a',
      cause: failed('EROFS'),
      want: 'F/a is on a file system that is mounted read-only',
    },
    {
      name: 'the disk is full',
      path: 'a',
      cause: failed('ENOSPC'),
      want: 'no space is left for F/a',
    },
    { name: 'another reason', path: 'a', cause: failed('EIO'), want: 'system text' },
  ]
  for (const { name, path, act, cause, want } of CASES) {
    it(`is clear where ${name}`, async () => {
      await using folder = await temporaryFolder()
      mkdirSync(folder.file('folder'))
      writeFileSync(folder.file('file'), '')
      const file = folder.file(path)
      const failure = act === undefined ? cause : failureOf(() => act(file))
      assert.equal(describeFileFault(file, failure).replaceAll(folder.path, 'F'), want)
    })
  }
})
