// `countersign keys grant`: makes a keyring and rotates it, in one step each. `countersign keys api`:
// makes an API key, and puts its hash where authz looks for it.

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { readApiKey } from '../../src/authenticate/api-key/key.ts'
import { KeysFile } from '../../src/authenticate/api-key/keys-file.ts'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { parseGrantKeys } from '../../src/keys/grant-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersign, type Result } from './run.ts'

const keys = async (folder: TemporaryFolder, ...args: readonly string[]): Promise<Result> =>
  await countersign(['keys', 'grant', folder.file('grant.keys'), ...args])

const idsIn = async (folder: TemporaryFolder): Promise<readonly string[]> =>
  parseGrantKeys('test', await readFile(folder.file('grant.keys'), 'utf8')).map(({ id }) =>
    id.toString('hex'),
  )

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('countersign keys grant', { concurrency: true }, () => {
  it('creates a keyring that only its owner can read', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await keys(folder)
    assert.deepEqual([status, stdout], [0, ''])
    assert.match(stderr, /grant\.keys: 1 key\n$/)
    assert.equal((await idsIn(folder)).length, 1)
    assert.equal(await modeOf(folder.file('grant.keys')), 0o600)
    const text = await readFile(folder.file('grant.keys'), 'utf8')
    assert.ok(!stderr.includes(text.trim().split('\n').at(-1) ?? 'nothing'))
  })

  it('creates it for a group with --mode', async () => {
    await using folder = await temporaryFolder()
    assert.equal((await keys(folder, '--mode', '0640')).status, 0)
    assert.equal(await modeOf(folder.file('grant.keys')), 0o640)
  })

  it('does not replace an existing keyring', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const before = await readFile(folder.file('grant.keys'), 'utf8')
    const { status, stderr } = await keys(folder)
    assert.equal(status, 1)
    assert.match(stderr, /^countersign: .* exists; --add appends a new key\n$/)
    assert.equal(await readFile(folder.file('grant.keys'), 'utf8'), before)
  })

  it('rotates the keyring in three steps', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const [old] = await idsIn(folder)
    assert.match((await keys(folder, '--add')).stderr, /2 keys/)
    const [first, fresh] = await idsIn(folder)
    assert.equal(first, old)
    assert.match((await keys(folder, '--promote')).stderr, /2 keys/)
    assert.deepEqual(await idsIn(folder), [fresh, old])
    assert.match((await keys(folder, '--prune', '1')).stderr, /1 key\n/)
    assert.deepEqual(await idsIn(folder), [fresh])
  })

  it('keeps comments, mode, and the target of a link', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const text = await readFile(folder.file('grant.keys'), 'utf8')
    await writeFile(folder.file('real.keys'), `# made for the test\n\n${text}# the end\n`)
    await chmod(folder.file('real.keys'), 0o640)
    await symlink(folder.file('real.keys'), folder.file('link.keys'))
    const { status } = await countersign(['keys', 'grant', folder.file('link.keys'), '--add'])
    assert.equal(status, 0)
    const after = await readFile(folder.file('real.keys'), 'utf8')
    assert.match(after, /^# made for the test\n\n[^]*# the end\n# created [^\n]*\n[\w-]{43}\n$/)
    assert.equal(await modeOf(folder.file('real.keys')), 0o640)
    assert.deepEqual((await readdir(folder.path)).toSorted(), [
      'grant.keys',
      'link.keys',
      'real.keys',
    ])
  })

  it('keeps when each key was made, as the key moves', async () => {
    await using folder = await temporaryFolder()
    const lines = ['a', 'b', 'c'].map((letter) => letter.repeat(42) + 'A')
    const dated = (index: number): string =>
      `# created 202${index}-01-01T00:00:00.000Z\n${lines[index]}`
    await writeFile(folder.file('grant.keys'), `# one\n${dated(0)}\n${dated(1)}\n${dated(2)}\n`)
    await keys(folder, '--promote')
    const after = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal(after, `# one\n${dated(2)}\n${dated(0)}\n${dated(1)}\n`)
    await keys(folder, '--prune', '2')
    const pruned = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal(pruned, `# one\n${dated(2)}\n${dated(0)}\n`)
    await keys(folder, '--add')
    const text = await readFile(folder.file('grant.keys'), 'utf8')
    const [, , made] = parseGrantKeys('test', text).map(({ created }) => created)
    assert.ok(Math.abs(Date.now() - (made ?? 0)) < 60_000)
  })

  it('promotes a key past comments', async () => {
    await using folder = await temporaryFolder()
    const lines = ['a', 'b', 'c'].map((letter) => letter.repeat(42) + 'A')
    await writeFile(folder.file('grant.keys'), `# one\n${lines.join('\n# more\n')}\n# end\n`)
    await keys(folder, '--promote')
    const [a, b, c] = lines
    const after = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal(after, `# one\n${c}\n${a}\n# more\n${b}\n# more\n# end\n`)
    await keys(folder, '--prune', '2')
    const pruned = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal(pruned, `# one\n${c}\n${a}\n# more\n# more\n# end\n`)
  })

  it('keeps the only key in its place when it is promoted', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const before = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal((await keys(folder, '--promote')).status, 0)
    assert.equal(await readFile(folder.file('grant.keys'), 'utf8'), before)
  })

  const REFUSED: readonly { name: string; text?: string; args: readonly string[]; says: RegExp }[] =
    [
      { name: 'a file that does not exist', args: ['--add'], says: /^countersign: .*grant\.keys/ },
      {
        name: 'a file that is not a keyring',
        text: 'secret',
        args: ['--add'],
        says: /:1 is not a key/,
      },
      { name: 'an empty keyring', text: '# none\n', args: ['--promote'], says: /holds no key/ },
      { name: 'two changes at once', args: ['--add', '--promote'], says: /cannot be used with/ },
      { name: 'to retain no key', args: ['--prune', '0'], says: /must be a number from 1/ },
      {
        name: 'a keyring that every user can read',
        args: ['--mode', '0644'],
        says: /without access for other users/,
      },
    ]
  for (const { name, text, args, says } of REFUSED) {
    it(`refuses ${name}`, async () => {
      await using folder = await temporaryFolder()
      if (text !== undefined) await writeFile(folder.file('grant.keys'), text)
      const { status, stderr } = await keys(folder, ...args)
      assert.equal(status, 1)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /secret|\bat .*\.ts:\d/)
      if (text !== undefined) {
        assert.equal(await readFile(folder.file('grant.keys'), 'utf8'), text)
      }
    })
  }

  it('describes a rotation in its help', async () => {
    const { stdout } = await countersign(['keys', 'grant', '--help'])
    for (const step of [/--add/, /--promote/, /--prune 1/, /without refused requests/]) {
      assert.match(stdout, step)
    }
  })
})

const api = async (...args: readonly string[]): Promise<Result> =>
  await countersign(['keys', 'api', ...args])

/** What a key proves by a file, or `undefined`. */
const provenBy = async (text: string, stdout: string): Promise<ProvenCredential | undefined> => {
  const key = readApiKey(stdout.replace(/\n$/, ''))
  if (key === undefined) return undefined
  const file = await KeysFile.parse('/etc/api-keys.yaml', text)
  return file.find(key)?.credential
}

describe('countersign keys api', { concurrency: true }, () => {
  it('prints the key to standard output and its entry to standard error', async () => {
    const { status, stdout, stderr } = await api('--user', 'bot', '--groups', 'dev,ops')
    assert.equal(status, 0)
    const credential = await provenBy(stderr, stdout)
    assert.match(credential?.digest ?? '', /^[a-z]{10}$/)
    assert.deepEqual(credential, {
      method: 'api-key',
      digest: credential?.digest,
      user: 'bot',
      uid: undefined,
      groups: ['dev', 'ops'],
      extra: {},
      expires: undefined,
      presented: { proven: true, id: credential?.digest },
    })
    assert.ok(!stderr.includes(stdout.trim()))
  })

  it('creates the file, then adds entries and keeps comments', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('api-keys.yaml')
    const first = await api('--user', 'a', '--id', 'one', '--file', file)
    assert.equal(await modeOf(file), 0o600)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('  one:', '  # of the old server\n  one:'))
    await chmod(file, 0o640)
    const second = await api('-u', 'b', '--uid', '7', '--id', 'two', '-e', '90d', '-f', file)
    assert.deepEqual([first.status, second.status], [0, 0])
    const after = await readFile(file, 'utf8')
    assert.equal(await modeOf(file), 0o640)
    assert.match(after, /^# API keys of Countersign.*[^]*# of the old server\n {2}one:\n/)
    assert.equal((await provenBy(after, first.stdout))?.user, 'a')
    const { user, uid, expires = 0 } = (await provenBy(after, second.stdout)) ?? {}
    assert.deepEqual([user, uid], ['b', '7'])
    const days = (expires - Date.now()) / 86_400_000
    assert.ok(days > 89.9 && days <= 90, String(days))
    for (const secret of [first.stdout, second.stdout]) {
      assert.ok(!after.includes(secret.trim().slice(-30)))
      assert.match(secret, /^csk_(one|two)_[0-9A-Za-z]{49}\n$/)
    }
    assert.deepEqual(await readdir(folder.path), ['api-keys.yaml'])
  })

  for (const text of ['keys: {}\n', 'keys:\n', '# none yet\nkeys: {} # nor here\n']) {
    it(`adds the first entry to ${JSON.stringify(text)}`, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('api-keys.yaml')
      await writeFile(file, text)
      const { status, stdout, stderr } = await api('-u', 'a', '-f', file)
      assert.equal(status, 0, stderr)
      assert.equal((await provenBy(await readFile(file, 'utf8'), stdout))?.user, 'a')
    })
  }

  it('follows a link to the file', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('real.yaml'), 'keys: {}\n')
    await symlink(folder.file('real.yaml'), folder.file('link.yaml'))
    const { stdout } = await api('-u', 'a', '-f', folder.file('link.yaml'))
    assert.ok(
      (await provenBy(await readFile(folder.file('real.yaml'), 'utf8'), stdout)) !== undefined,
    )
    assert.deepEqual((await readdir(folder.path)).toSorted(), ['link.yaml', 'real.yaml'])
  })

  const REFUSED: readonly { name: string; text?: string; args: readonly string[]; says: RegExp }[] =
    [
      { name: 'a key without a user', args: [], says: /required option '-u, --user <name>'/ },
      { name: 'a key of an empty user', args: ['-u', ''], says: /must be a name/ },
      { name: 'a user with a line feed', args: ['-u', 'a\nb'], says: /must be a name/ },
      { name: 'an empty group', args: ['-u', 'a', '-g', 'dev,,ops'], says: /must be a name/ },
      { name: 'an invalid id', args: ['-u', 'a', '--id', 'A_b'], says: /must be 1 to 63/ },
      { name: 'an invalid expiry', args: ['-u', 'a', '-e', 'soon'], says: /must be a duration/ },
      { name: 'an expiry in the past', args: ['-u', 'a', '-e', '0s'], says: /must be a duration/ },
      {
        name: 'an expiry beyond the range of dates',
        args: ['-u', 'a', '-e', '999999999d'],
        says: /must be a duration/,
      },
      {
        name: 'an id that is in use',
        text: `keys: { one: { hash: 'sha256:${'0'.repeat(64)}', user: a } }\n`,
        args: ['-u', 'a', '--id', 'one'],
        says: /already has a key with the id "one"/,
      },
      {
        name: 'a file that is not a file of keys',
        text: 'users: {}\n',
        args: ['-u', 'a'],
        says: /this is a users file: it has "users"/,
      },
      {
        name: 'a file in a folder that does not exist',
        args: ['-u', 'a', '-f', '/nowhere/at/all'],
        says: /cannot be created/,
      },
    ]
  for (const { name, text, args, says } of REFUSED) {
    it(`refuses ${name}, and prints no key`, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('api-keys.yaml')
      if (text !== undefined) await writeFile(file, text)
      const { status, stdout, stderr } = await api(
        ...(text === undefined ? [] : ['-f', file]),
        ...args,
      )
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, says)
      if (text !== undefined) assert.equal(await readFile(file, 'utf8'), text)
    })
  }
})
