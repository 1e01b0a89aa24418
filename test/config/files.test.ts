// Reading the files of a configuration, and noticing that one has changed.

import assert from 'node:assert/strict'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const IS_ROOT = process.getuid?.() === 0

describe('a file of the configuration', () => {
  it('is read completely', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), Buffer.from([0xff, 0x00, 0x61]))
    assert.deepEqual(
      await new ConfigurationFiles().read(folder.file('a')),
      Buffer.from([0xff, 0x00, 0x61]),
    )
  })

  it('has the digest of what was read, and changes with it', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('a')
    await writeFile(file, 'one')
    const [read, hashed] = [new ConfigurationFiles(), new ConfigurationFiles()]
    assert.equal(read.digestOf(file), undefined)
    await read.read(file)
    assert.equal(await hashed.digest(file), read.digestOf(file))
    assert.deepEqual(hashed.paths, [file])
    assert.deepEqual([await read.changed(), await hashed.changed()], [false, false])
    await writeFile(file, 'two')
    assert.deepEqual([await read.changed(), await hashed.changed()], [true, true])
    await rm(file)
    assert.equal(await hashed.changed(), true)
    await assert.rejects(hashed.digest(file), /\/a does not exist$/)
    assert.equal(hashed.digestOf(file), undefined)
    assert.equal(await hashed.changed(), false) // it is as missing as it was
  })

  it('is read as UTF-8, without its byte order mark', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), '\ufeffümlaut')
    assert.equal(await new ConfigurationFiles().readText(folder.file('a')), 'ümlaut')
  })

  const CASES = [
    {
      name: 'is missing',
      prepare: async () => undefined,
      want: /\/a does not exist$/,
      skip: false,
    },
    {
      name: 'is a folder',
      prepare: async (path: string) => await mkdir(path),
      want: /\/a is a folder, not a file$/,
      skip: false,
    },
    {
      name: 'is not readable',
      prepare: async (path: string) => {
        await writeFile(path, 'x')
        await chmod(path, 0)
      },
      want: /\/a may not be read by this user; check its owner and mode$/,
      skip: IS_ROOT,
    },
    {
      name: 'is Latin-1',
      prepare: async (path: string) => await writeFile(path, 'ümlaut', 'latin1'),
      want: /\/a is not valid UTF-8$/,
      skip: false,
    },
  ]
  for (const { name, prepare, want, skip } of CASES) {
    it(`a file of the configuration that ${name} is refused with a remedy`, { skip }, async () => {
      await using folder = await temporaryFolder()
      await prepare(folder.file('a'))
      await assert.rejects(new ConfigurationFiles().readText(folder.file('a')), {
        code: 'file-unreadable',
        message: want,
      })
    })
  }
})

const setUp = async () => {
  const folder = await temporaryFolder()
  const [one, two] = [folder.file('one'), folder.file('two')]
  await writeFile(one, '1')
  await writeFile(two, '2')
  const files = new ConfigurationFiles()
  await files.read(one)
  await files.read(two)
  return { folder, one, two, files, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] }
}

describe('the files of a configuration', () => {
  it('include those that could not be read', async () => {
    await using scene = await setUp()
    const missing = scene.folder.file('missing')
    await assert.rejects(scene.files.read(missing))
    assert.deepEqual(scene.files.paths, [scene.one, scene.two, missing])
  })

  it('are unchanged at first', async () => {
    await using scene = await setUp()
    assert.equal(await scene.files.changed(), false)
  })

  it('are unchanged when one was touched or replaced by an equal file', async () => {
    await using scene = await setUp()
    await writeFile(scene.one, '1')
    await writeFile(scene.folder.file('new'), '2')
    await rename(scene.folder.file('new'), scene.two)
    assert.equal(await scene.files.changed(), false)
  })

  it('are changed when one has another content', async () => {
    await using scene = await setUp()
    await writeFile(scene.two, '3')
    assert.equal(await scene.files.changed(), true)
  })

  it('are changed when one is removed', async () => {
    await using scene = await setUp()
    await rm(scene.one)
    assert.equal(await scene.files.changed(), true)
  })

  it('are changed when a missing one is created', async () => {
    await using scene = await setUp()
    const missing = scene.folder.file('missing')
    await assert.rejects(scene.files.read(missing))
    assert.equal(await scene.files.changed(), false)
    await writeFile(missing, '')
    assert.equal(await scene.files.changed(), true)
  })

  it('are unchanged when one is read again after a change', async () => {
    await using scene = await setUp()
    await writeFile(scene.one, '3')
    await scene.files.read(scene.one)
    assert.equal(await scene.files.changed(), false)
  })
})
