// `countersign keys signing create`, `show` and what their help says.

import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../servers/temporary.ts'
import { countersign } from './run.ts'
import { modeOf, noKeys, someKeys, type Keys } from './signing-keys-folder.ts'

describe('countersign keys signing create', { concurrency: true }, () => {
  it('creates a folder for its owner, with a key that signs', async () => {
    await using keys = await noKeys()
    const { stderr } = await keys.must('create')
    assert.match(stderr, /^\/.*keys: ES256 [\w-]{43} signs at once\n$/)
    assert.deepEqual(await keys.states(), ['ES256 signing'])
    const [kid = ''] = await keys.kids()
    assert.deepEqual((await readdir(keys.path)).toSorted(), [`${kid}.pem`, 'keys.json'].toSorted())
    assert.equal(await modeOf(keys.path), 0o700)
    assert.equal(await modeOf(keys.file(`${kid}.pem`)), 0o600)
    assert.equal(await modeOf(keys.file('keys.json')), 0o644)
    assert.equal((await keys.read()).privateKeys.size, 1)
  })

  it('creates a key for each algorithm, in any order of names', async () => {
    await using keys = await noKeys()
    await keys.must('create', '-a', 'ES256,RS256', '-a', 'EdDSA', '--algorithm', 'RS256')
    assert.deepEqual(await keys.states(), ['ES256 signing', 'RS256 signing', 'EdDSA signing'])
    assert.equal((await keys.read()).privateKeys.size, 3)
  })

  it('creates missing keys, and reports when none is missing', async () => {
    await using keys = await someKeys('ES256')
    const [first] = await keys.kids()
    assert.match((await keys.must('create')).stderr, /: nothing to do\n$/)
    await keys.must('create', '-a', 'ES256,EdDSA')
    assert.deepEqual(await keys.states(), ['ES256 signing', 'EdDSA signing'])
    assert.equal((await keys.kids())[0], first)
  })

  it('creates keys for a group, which can read the folder and later keys', async () => {
    await using keys = await noKeys()
    await keys.must('create', '--mode', '0640')
    assert.equal(await modeOf(keys.path), 0o750)
    await keys.must('rotate')
    for (const kid of await keys.kids()) {
      assert.equal(await modeOf(keys.file(`${kid}.pem`)), 0o640)
    }
  })

  it('continues after a command that failed before it wrote the list', async () => {
    await using keys = await noKeys()
    await mkdir(keys.path)
    const stray = 'x'.repeat(43)
    await writeFile(keys.file(`${stray}.pem`), 'half a k')
    await writeFile(keys.file('keys.json.part'), '{"version":1,')
    await keys.must('create')
    // It may be the last copy of what a lost list named.
    assert.ok((await readdir(keys.path)).includes(`${stray}.pem`))
    await keys.must('prune')
    assert.deepEqual((await readdir(keys.path)).length, 2)
  })

  it('follows a link to the folder', async () => {
    await using parent = await temporaryFolder()
    await mkdir(parent.file('real'))
    await symlink(parent.file('real'), parent.file('link'))
    const { status, stderr } = await countersign(['keys', 'signing', 'create', parent.file('link')])
    assert.equal(status, 0)
    assert.ok(stderr.startsWith(`${parent.file('real')}: ES256 `))
    assert.equal((await readdir(parent.file('real'))).length, 2)
  })
})

describe('countersign keys signing show', { concurrency: true }, () => {
  it('prints the role of each key, and its times', async () => {
    await using keys = await someKeys('ES256')
    await keys.must('rotate')
    const { status, stdout, stderr } = await keys.run('show')
    assert.deepEqual([status, stderr], [0, ''])
    const [kid, next] = await keys.kids()
    const [title, ...rows] = stdout.trimEnd().split('\n')
    assert.match(title ?? '', /^key +algorithm +state +created +signs from +published until$/)
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
    assert.match(rows[0] ?? '', new RegExp(`^${kid} +ES256 +signing +${time} +${time} +${time}$`))
    assert.match(rows[1] ?? '', new RegExp(`^${next} +ES256 +next +${time} +${time}$`))
    assert.equal(rows.length, 2)
  })

  it('prints JSON with --json', async () => {
    await using keys = await someKeys('ES256')
    const { status, stdout } = await keys.run('show', '--json')
    const [entry] = await keys.entries()
    const { kid, algorithm, created, signsFrom } = entry ?? {}
    assert.deepEqual(JSON.parse(stdout), {
      keys: [{ kid, algorithm, state: 'signing', created, signsFrom }],
      problems: [],
    })
    assert.equal(status, 0)
  })

  const PROBLEMS: readonly {
    readonly name: string
    readonly spoil: (keys: Keys, signing: string, next: string) => Promise<unknown>
    readonly says: RegExp
  }[] = [
    {
      name: 'a key that other users can read',
      spoil: (keys, signing) => chmod(keys.file(`${signing}.pem`), 0o644),
      says: /^countersign: .*\.pem has mode 0644: .*\n$/,
    },
    {
      name: 'swapped files',
      spoil: async (keys, signing, next) => {
        await rename(keys.file(`${signing}.pem`), keys.file('aside'))
        await rename(keys.file(`${next}.pem`), keys.file(`${signing}.pem`))
        await rename(keys.file('aside'), keys.file(`${next}.pem`))
      },
      says: /^(countersign: .*\.pem does not hold the private key of .*\n){2}$/,
    },
    {
      name: 'a missing file',
      spoil: (keys, signing) => rm(keys.file(`${signing}.pem`)),
      says: /^countersign: .*\.pem does not exist: restore it, or revoke the key.*\n$/,
    },
  ]
  for (const { name, spoil, says } of PROBLEMS) {
    it(`fails for ${name}, and prints the keys anyway`, async () => {
      await using keys = await someKeys('ES256')
      await keys.must('rotate')
      const [signing = '', next = ''] = await keys.kids()
      await spoil(keys, signing, next)
      const { status, stdout, stderr } = await keys.run('show')
      assert.equal(status, 1)
      assert.match(stderr, says)
      assert.equal(stdout.split('\n').length, 4)
      const json = await keys.run('show', '--json')
      assert.equal(json.status, 1)
      assert.ok(JSON.parse(json.stdout).problems.length > 0)
    })
  }
})

describe('countersign keys signing --help', { concurrency: true }, () => {
  const CASES: readonly { readonly args: readonly string[]; readonly says: readonly RegExp[] }[] = [
    {
      args: [],
      says: [
        /create/,
        /show/,
        /rotate/,
        /revoke/,
        /prune/,
        /without refused requests/,
        /may have been stolen/,
      ],
    },
    { args: ['create'], says: [/--algorithm <names>/, /--mode <mode>/, /ES256/] },
    { args: ['show'], says: [/--json/, /1 authz would refuse/] },
    {
      args: ['rotate'],
      says: [
        /--overlap <duration>/,
        /--now/,
        /without refused requests/,
        /CronJob/,
        /kubectl replace/,
        /ReadWriteMany/,
        /issuer\.maxAge/,
      ],
    },
    { args: ['revoke'], says: [/<kid>/, /stolen/, /kube-apiserver/] },
    { args: ['prune'], says: [/without valid tokens/] },
  ]
  for (const { args, says } of CASES) {
    it(`describes the command ${['signing', ...args].join(' ')}`, async () => {
      const { status, stdout, stderr } = await countersign(['keys', 'signing', ...args, '--help'])
      assert.deepEqual([status, stderr], [0, ''])
      const text = stdout.replaceAll(/\s+/g, ' ')
      for (const pattern of says) assert.match(text, pattern)
    })
  }
})
