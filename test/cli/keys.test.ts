// `countersign keys grant`: makes a keyring and rotates it, in one step each.

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
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
  it('makes a keyring that only its owner may read', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await keys(folder)
    assert.deepEqual([status, stdout], [0, ''])
    assert.match(stderr, /grant\.keys: 1 key\n$/)
    assert.equal((await idsIn(folder)).length, 1)
    assert.equal(await modeOf(folder.file('grant.keys')), 0o600)
    const text = await readFile(folder.file('grant.keys'), 'utf8')
    assert.ok(!stderr.includes(text.trim().split('\n').at(-1) ?? 'nothing'))
  })

  it('makes it for a group, when asked to', async () => {
    await using folder = await temporaryFolder()
    assert.equal((await keys(folder, '--mode', '0640')).status, 0)
    assert.equal(await modeOf(folder.file('grant.keys')), 0o640)
  })

  it('does not make it anew', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const before = await readFile(folder.file('grant.keys'), 'utf8')
    const { status, stderr } = await keys(folder)
    assert.equal(status, 1)
    assert.match(stderr, /^countersign: .* exists already; --add puts a new key into it\n$/)
    assert.equal(await readFile(folder.file('grant.keys'), 'utf8'), before)
  })

  it('rotates in three steps', async () => {
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

  it('keeps comments, the mode, and where a link leads to', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const text = await readFile(folder.file('grant.keys'), 'utf8')
    await writeFile(folder.file('real.keys'), `# made for the test\n\n${text}# the end\n`)
    await chmod(folder.file('real.keys'), 0o640)
    await symlink(folder.file('real.keys'), folder.file('link.keys'))
    const { status } = await countersign(['keys', 'grant', folder.file('link.keys'), '--add'])
    assert.equal(status, 0)
    const after = await readFile(folder.file('real.keys'), 'utf8')
    assert.match(after, /^# made for the test\n\n[^]*# the end\n[\w-]{43}\n$/)
    assert.equal(await modeOf(folder.file('real.keys')), 0o640)
    assert.deepEqual((await readdir(folder.path)).toSorted(), [
      'grant.keys',
      'link.keys',
      'real.keys',
    ])
  })

  it('promotes past comments', async () => {
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

  it('promotes the only key to where it is', async () => {
    await using folder = await temporaryFolder()
    await keys(folder)
    const before = await readFile(folder.file('grant.keys'), 'utf8')
    assert.equal((await keys(folder, '--promote')).status, 0)
    assert.equal(await readFile(folder.file('grant.keys'), 'utf8'), before)
  })

  const REFUSED: readonly { name: string; text?: string; args: readonly string[]; says: RegExp }[] =
    [
      { name: 'a file that is not there', args: ['--add'], says: /^countersign: .*grant\.keys/ },
      {
        name: 'a file that is no keyring',
        text: 'secret',
        args: ['--add'],
        says: /:1 is not a key/,
      },
      { name: 'an empty keyring', text: '# none\n', args: ['--promote'], says: /holds no key/ },
      { name: 'two changes at once', args: ['--add', '--promote'], says: /cannot be used with/ },
      { name: 'to keep nothing', args: ['--prune', '0'], says: /must be a number from 1/ },
      { name: 'a keyring for everyone', args: ['--mode', '0644'], says: /nothing for others/ },
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

  it('says how to rotate', async () => {
    const { stdout } = await countersign(['keys', 'grant', '--help'])
    for (const step of [/--add/, /--promote/, /--prune 1/, /without a request being refused/]) {
      assert.match(stdout, step)
    }
  })
})
