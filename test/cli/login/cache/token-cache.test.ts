// The files of the cache: readable by their owner alone, written whole, and only used for the login that they name.

import assert from 'node:assert/strict'
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { TokenCache } from '../../../../src/cli/login/cache/token-cache.ts'
import type { Login } from '../../../../src/cli/login/login-record.ts'
import { temporaryFolder, type TemporaryFolder } from '../../../servers/temporary.ts'

const LOGIN: Login = {
  issuer: 'https://id.example.org',
  clientId: 'cli',
  subject: 'u-1',
  user: 'alice',
  idToken: { value: 'id-token', expires: 2_000_000_000_000 },
  accessToken: { value: 'access-token' },
  refreshToken: 'refresh-token',
  obtained: 1_999_999_000_000,
}

const cacheIn = (folder: TemporaryFolder): TokenCache =>
  new TokenCache(folder.file('state/countersign/tokens'))

const fileIn = async ({ folder }: TokenCache): Promise<string> => {
  const [name = ''] = await readdir(folder)
  return join(folder, name)
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('the cache of tokens', { concurrency: true }, () => {
  it('is empty at first, and creates no folder for a lookup', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    assert.equal(await cache.read(LOGIN), undefined)
    assert.deepEqual(await cache.list(), [])
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('keeps a login for its owner only, whatever the umask, and returns it', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    const before = process.umask(0)
    try {
      await cache.write(LOGIN)
    } finally {
      process.umask(before)
    }
    assert.deepEqual(await cache.read(LOGIN), LOGIN)
    assert.equal(await modeOf(cache.folder), 0o700)
    assert.equal(await modeOf(folder.file('state')), 0o700)
    assert.equal(await modeOf(await fileIn(cache)), 0o600)
    assert.deepEqual(
      (await readdir(cache.folder)).map((name) => /^[0-9a-f]{64}\.json$/.test(name)),
      [true],
    )
  })

  it('replaces a login atomically', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await cache.write({ ...LOGIN, user: `alice-${index}`.padEnd(50_000, 'x') })
        assert.equal((await cache.read(LOGIN))?.user.length, 50_000)
      }),
    )
    assert.equal((await readdir(cache.folder)).length, 1)
  })

  const OTHERS: readonly { name: string; change: Partial<Login> }[] = [
    { name: 'another issuer', change: { issuer: 'https://id.example.org/realm' } },
    { name: 'another client', change: { clientId: 'other' } },
    { name: 'other scopes', change: { scope: 'openid email' } },
    { name: 'a resource', change: { resource: 'https://kube.example.org' } },
    { name: 'an audience', change: { audience: 'https://kube.example.org' } },
  ]
  for (const { name, change } of OTHERS) {
    it(`distinguishes ${name}`, async () => {
      await using folder = await temporaryFolder()
      const cache = cacheIn(folder)
      await cache.write(LOGIN)
      assert.equal(await cache.read({ ...LOGIN, ...change }), undefined)
      await cache.write({ ...LOGIN, ...change, user: 'other' })
      assert.equal((await cache.read(LOGIN))?.user, 'alice')
      assert.equal((await cache.list()).length, 2)
    })
  }

  it('treats scopes in any order as the same', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    await cache.write({ ...LOGIN, scope: 'openid email groups' })
    assert.equal((await cache.read({ ...LOGIN, scope: 'groups openid email' }))?.user, 'alice')
  })

  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666]) {
    it(`refuses a file of mode ${mode.toString(8)}, with the remedy`, async () => {
      await using folder = await temporaryFolder()
      const cache = cacheIn(folder)
      await cache.write(LOGIN)
      const file = await fileIn(cache)
      await chmod(file, mode)
      await assert.rejects(cache.read(LOGIN), {
        code: 'file-unreadable',
        message: `${file} has mode 0${mode.toString(8)}, so other users may know its tokens: \`chmod 600 ${file}\`, then \`countersign logout\`, which revokes them, and log in again`,
      })
      // A new login is kept all the same.
      await cache.write(LOGIN)
      assert.equal(await modeOf(file), 0o600)
      assert.deepEqual(await cache.read(LOGIN), LOGIN)
    })
  }

  for (const mode of [0o750, 0o705, 0o755, 0o777, 0o710]) {
    it(`refuses a folder of mode ${mode.toString(8)}, for reading and writing`, async () => {
      await using folder = await temporaryFolder()
      const cache = cacheIn(folder)
      await cache.write(LOGIN)
      await chmod(cache.folder, mode)
      const refused = {
        code: 'file-unreadable',
        message: /has mode 07\d\d, so other users may know/,
      }
      await assert.rejects(cache.read(LOGIN), refused)
      await assert.rejects(cache.write(LOGIN), refused)
      await assert.rejects(cache.list(), refused)
      await assert.rejects(cache.lock(LOGIN, { wait: 0 }), refused)
    })
  }

  it('refuses a file of another user', { skip: process.geteuid?.() !== 0 }, async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    await cache.write(LOGIN)
    const file = await fileIn(cache)
    await chown(file, 65_534, 65_534)
    await assert.rejects(cache.read(LOGIN), { message: /belongs to another user/ })
    await chown(file, 0, 0)
    await chown(cache.folder, 65_534, 65_534)
    await assert.rejects(cache.read(LOGIN), { message: /belongs to another user/ })
  })

  it('refuses a link and a folder in place of a file', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    await cache.write(LOGIN)
    const file = await fileIn(cache)
    await rename(file, folder.file('elsewhere'))
    await symlink(folder.file('elsewhere'), file)
    await assert.rejects(cache.read(LOGIN), { code: 'file-unreadable', message: /ELOOP/ })
    await rename(file, folder.file('link'))
    await mkdir(file, { mode: 0o700 })
    await assert.rejects(cache.read(LOGIN), {
      code: 'file-unreadable',
      message: /is not a regular file/,
    })
  })

  it('refuses the login of another request in its file', async () => {
    await using folder = await temporaryFolder()
    const cache = cacheIn(folder)
    await cache.write(LOGIN)
    const file = await fileIn(cache)
    await cache.write({ ...LOGIN, clientId: 'other' })
    const [other = ''] = (await readdir(cache.folder))
      .map((name) => join(cache.folder, name))
      .filter((name) => name !== file)
    await rename(other, file)
    await assert.rejects(cache.read(LOGIN), { code: 'file-unreadable', message: /is damaged/ })
    assert.deepEqual(
      (await cache.list()).map(({ outcome }) => outcome),
      ['unusable'],
    )
  })

  const text = JSON.stringify({ version: 1, ...LOGIN })
  const DAMAGED: readonly { name: string; text: string }[] = [
    { name: 'no bytes', text: '' },
    { name: 'a truncated login', text: text.slice(0, -40) },
    { name: 'no JSON', text: 'token' },
    { name: 'a value that is not an object', text: '[1]' },
    { name: 'null', text: 'null' },
    { name: 'another version', text: text.replace('"version":1', '"version":2') },
    { name: 'no token', text: text.replace('"idToken"', '"x"') },
    { name: 'a token that is not a string', text: text.replace('"id-token"', '7') },
    { name: 'a time that is not a number', text: text.replace('2000000000000', '"soon"') },
    { name: 'an infinite time', text: text.replace('2000000000000', '1e400') },
    { name: 'a refresh token that is not a string', text: text.replace('"refresh-token"', '{}') },
    { name: 'more bytes than a login can have', text: `${text}${' '.repeat(1_048_576)}` },
  ]
  for (const { name, text: damaged } of DAMAGED) {
    it(`refuses a file with ${name}`, async () => {
      await using folder = await temporaryFolder()
      const cache = cacheIn(folder)
      await cache.write(LOGIN)
      const file = await fileIn(cache)
      await writeFile(file, damaged)
      await assert.rejects(cache.read(LOGIN), (cause: Error) => {
        assert.match(cause.message, /is damaged; `countersign login` replaces it|is larger than/)
        assert.doesNotMatch(cause.message, /token"|refresh-token/)
        return true
      })
      assert.equal(await readFile(file, 'utf8'), damaged)
    })
  }
})
