// Which folders the compile cache is read from: what is in them is executed.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { isPrivate } from '../../src/runtime/compile-cache.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const run = promisify(execFile)
const COMMAND = join(import.meta.dirname, '../../src/countersign.ts')
const WINDOWS = process.platform === 'win32'

/** Runs `countersign --version` with these variables in place of those of the tests. */
const version = async (variables: NodeJS.ProcessEnv): Promise<string> => {
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...rest } = process.env
  const { stdout } = await run(process.execPath, [COMMAND, '--version'], {
    env: { ...rest, ...variables },
  })
  return stdout
}

const filesBelow = async (folder: string): Promise<number> =>
  (await readdir(folder, { recursive: true }).catch(() => [])).length

/** A folder with the mode, in a parent with the mode. */
const nested = async (
  folder: TemporaryFolder,
  { parent, own }: { readonly parent: number; readonly own: number },
): Promise<string> => {
  const path = folder.file('parent/own')
  await mkdir(path, { recursive: true })
  await chmod(path, own)
  await chmod(folder.file('parent'), parent) // not by mkdir, whose mode the umask limits
  return path
}

describe('the folder of the compile cache', { skip: WINDOWS }, () => {
  const CASES = [
    { name: 'only this user reads it', parent: 0o700, own: 0o700, want: true },
    { name: 'every user may read it', parent: 0o755, own: 0o755, want: true },
    { name: 'its group may write to it', parent: 0o700, own: 0o770, want: false },
    { name: 'every user may write to it', parent: 0o700, own: 0o702, want: false },
    {
      name: 'it has the sticky bit and every user may write',
      parent: 0o700,
      own: 0o1777,
      want: false,
    },
    { name: 'every user may replace it', parent: 0o777, own: 0o700, want: false },
    { name: 'the group of the parent may replace it', parent: 0o770, own: 0o700, want: false },
    { name: 'the sticky bit of the parent protects it', parent: 0o1777, own: 0o700, want: true },
  ] as const
  for (const { name, want, ...modes } of CASES) {
    it(`is ${want ? 'used' : 'not used'} where ${name}`, async () => {
      await using folder = await temporaryFolder()
      assert.equal(isPrivate(await nested(folder, modes)), want)
    })
  }

  it('is not used where it belongs to another user', async () => {
    await using folder = await temporaryFolder()
    assert.equal(isPrivate(folder.path, (process.getuid?.() ?? 0) + 1), false)
  })

  it('is judged by the folder that a symbolic link names', async () => {
    await using folder = await temporaryFolder()
    const path = await nested(folder, { parent: 0o777, own: 0o700 })
    await symlink(path, folder.file('link'))
    assert.equal(isPrivate(folder.file('link')), false)
  })
})

describe('the compile cache of a command', { skip: WINDOWS, concurrency: true }, () => {
  it('is in a private folder below the cache of the user', async () => {
    await using folder = await temporaryFolder()
    await version({ XDG_CACHE_HOME: folder.path })
    const path = folder.file('countersign/compiled')
    assert.equal((await stat(path)).mode & 0o777, 0o700)
    assert.ok((await filesBelow(path)) > 5)
  })

  it('is in ~/.cache where XDG_CACHE_HOME is not an absolute path', async () => {
    await using folder = await temporaryFolder()
    await version({ HOME: folder.path, XDG_CACHE_HOME: 'cache' })
    assert.ok((await filesBelow(folder.file('.cache/countersign/compiled'))) > 5)
  })

  it('is not written where other users may write', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('countersign/compiled')
    await mkdir(path, { recursive: true })
    await chmod(path, 0o777)
    await version({ XDG_CACHE_HOME: folder.path })
    assert.equal(await filesBelow(path), 0)
  })

  it('is where NODE_COMPILE_CACHE has it', async () => {
    await using folder = await temporaryFolder()
    await version({ XDG_CACHE_HOME: folder.path, NODE_COMPILE_CACHE: folder.file('other') })
    assert.deepEqual(await readdir(folder.path), ['other'])
    assert.ok((await filesBelow(folder.file('other'))) > 5)
  })

  it('does not exist with NODE_DISABLE_COMPILE_CACHE', async () => {
    await using folder = await temporaryFolder()
    await version({ XDG_CACHE_HOME: folder.path, NODE_DISABLE_COMPILE_CACHE: '1' })
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is left out where there is no folder for it', async () => {
    const missing = join(COMMAND, 'no-folder')
    assert.match(await version({ HOME: missing, XDG_CACHE_HOME: missing }), /^\d+\.\d+\.\d+\n$/)
  })
})
