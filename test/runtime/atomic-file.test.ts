// Replacing a file: content, mode and remains of failures.

import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { OWNER_ONLY, replaceFile } from '../../src/runtime/atomic-file.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

describe('replaceFile', () => {
  const MODES: readonly { name: string; before?: number; mode?: number; want: number }[] = [
    { name: 'gives a new file mode 0600', want: 0o600 },
    { name: 'keeps the mode of an existing file', before: 0o644, want: 0o644 },
    { name: 'sets the given mode on a new file', mode: 0o640, want: 0o640 },
    {
      name: 'sets the given mode on an existing file',
      before: 0o644,
      mode: OWNER_ONLY,
      want: 0o600,
    },
  ]
  for (const { name, before, mode, want } of MODES) {
    it(name, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('x')
      if (before !== undefined) {
        await writeFile(file, 'old')
        await chmod(file, before)
      }
      await replaceFile(file, 'new', mode === undefined ? {} : { mode })
      assert.equal(await readFile(file, 'utf8'), 'new')
      assert.equal(await modeOf(file), want)
      assert.deepEqual(await readdir(folder.path), ['x'])
    })
  }

  it('replaces a symbolic link and leaves its target unchanged', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('target'), 'old')
    await symlink(folder.file('target'), folder.file('x'))
    await replaceFile(folder.file('x'), 'new')
    assert.equal((await lstat(folder.file('x'))).isSymbolicLink(), false)
    assert.equal(await readFile(folder.file('target'), 'utf8'), 'old')
  })

  it('removes its draft when the file cannot be replaced', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('x'))
    await assert.rejects(replaceFile(folder.file('x'), 'new'), { code: 'EISDIR' })
    assert.deepEqual(await readdir(folder.path), ['x'])
  })
})
