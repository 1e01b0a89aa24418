// Building a configuration whole: every problem of every file at once, and what outlives a reload.

import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { HashPool } from '../../src/authenticate/password/hash.ts'
import { check } from '../../src/check/check.ts'
import { processResources } from '../../src/check/resources.ts'
import { buildSnapshot, type Snapshot } from '../../src/check/snapshot.ts'
import { octal } from '../../src/config/file-modes.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import { parseGrantKeys } from '../../src/keys/grant-keys.ts'
import { memoryState } from '../../src/state/state.ts'
import { decodeName, formatName } from '../../src/x509/name.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { FakeClock } from '../fakes/clock.ts'
import { attributesOf, basic } from '../fakes/envoy.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const FOREVER = new AbortController().signal
const hash = await cheapHash('secret')

/** Cannot verify anything, so that only what is remembered is known. */
class BrokenPool extends HashPool {
  override verify(): Promise<boolean> {
    return Promise.reject(new Error('out of order'))
  }
}

const configuration = ({ cacheTtl = '60s', groups = 'dev', route = '' } = {}): string => `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff:
    basic: { cacheTtl: ${cacheTtl}, verify: [{ users: { file: users.yaml } }] }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ allow: members, groups: [${groups}] }]
    ${route}
`

const usersFile = (groups: string): string =>
  `users: { alice: { password: '${hash}', groups: [${groups}] } }`

const build = async (
  folder: TemporaryFolder,
  texts: { readonly config?: string; readonly users?: string },
  credentialCache = new CredentialCache(new FakeClock()),
  hashes = new HashPool(),
  state = memoryState(new FakeClock()),
): Promise<Snapshot> => {
  const { config = configuration(), users = usersFile('dev') } = texts
  await writeFile(folder.file('countersign.yaml'), config)
  await writeFile(folder.file('users.yaml'), users)
  const files = new ConfigurationFiles()
  return await buildSnapshot(folder.file('countersign.yaml'), files, {
    ...processResources(new FakeClock(), memoryLogger().logger),
    credentialCache,
    hashes,
    state,
  })
}

/** What alice gets, with her password. */
const ask = async (snapshot: Snapshot): Promise<string> => {
  const headers = [['authorization', basic('alice', 'secret')]] as const
  return (await check(attributesOf({ headers }), snapshot, FOREVER)).reason
}

describe('a snapshot', () => {
  it('authenticates the users of its files', async () => {
    await using folder = await temporaryFolder()
    assert.equal(await ask(await build(folder, {})), 'permitted')
    assert.equal(await ask(await build(folder, { users: usersFile('ops') })), 'no-rule')
  })

  it('forwards no headers unless configured to', async () => {
    await using folder = await temporaryFolder()
    const attributes = attributesOf({ headers: [['authorization', basic('alice', 'secret')]] })
    const headersWith = async (route: string): Promise<number> => {
      const snapshot = await build(folder, { config: configuration({ route }) })
      const decision = await check(attributes, snapshot, FOREVER)
      assert.equal(decision.outcome, 'allow')
      return decision.credentials.setHeaders.length
    }
    assert.equal(await headersWith(''), 0)
    assert.equal(await headersWith('forward: { headers: kubernetes }'), 2)
  })

  it('reports every problem in every file at once', async () => {
    await using folder = await temporaryFolder()
    const config = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }, { users: { file: none.yaml } }] } }
  guests: { basic: { verify: [{ users: { file: guests.htpasswd } }] } }
routes: [{ name: app, authenticate: [staff, guests], authorize: [{ allow: all }] }]
`
    await writeFile(folder.file('guests.htpasswd'), 'bob:plain\ncarol')
    const users = 'users: { alice: { password: plain } }'
    await assert.rejects(build(folder, { config, users }), (cause) => {
      assert.ok(cause instanceof ConfigurationError)
      const places = cause.problems.map(
        ({ file, path, position }) => `${file.slice(folder.path.length)}:${position?.line} ${path}`,
      )
      assert.deepEqual(places, [
        '/users.yaml:1 users.alice.password',
        '/countersign.yaml:5 authenticators.staff.basic.verify[1].users.file',
        '/guests.htpasswd:1 ',
        '/guests.htpasswd:2 ',
      ])
      return true
    })
  })
})

describe('files that decide who is let in', () => {
  const config = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
  keys: { apiKey: { file: keys.yaml } }
routes: [{ name: app, authenticate: [staff, keys], authorize: [{ allow: all }] }]
`
  const buildWith = async (folder: TemporaryFolder, mode: number): Promise<void> => {
    await writeFile(folder.file('keys.yaml'), 'keys: {}')
    await writeFile(folder.file('users.yaml'), usersFile('dev'))
    for (const file of ['keys.yaml', 'users.yaml']) await chmod(folder.file(file), mode)
    await (await build(folder, { config }))[Symbol.asyncDispose]()
  }

  it('are refused where every user of the machine can change them', async () => {
    await using folder = await temporaryFolder()
    await assert.rejects(buildWith(folder, 0o666), (cause) => {
      assert.ok(cause instanceof ConfigurationError)
      assert.deepEqual(
        cause.problems.map(({ path, message }) => [path, message.slice(folder.path.length)]),
        [
          [
            'authenticators.staff.basic.verify[0].users.file',
            '/users.yaml has mode 0666: every user of this machine can change it (chmod o-w)',
          ],
          [
            'authenticators.keys.apiKey.file',
            '/keys.yaml has mode 0666: every user of this machine can change it (chmod o-w)',
          ],
        ],
      )
      return true
    })
  })

  for (const mode of [0o600, 0o644, 0o664]) {
    it(`may have mode ${octal(mode)}`, async () => {
      await using folder = await temporaryFolder()
      await buildWith(folder, mode)
    })
  }
})

describe('the keyring of a snapshot', () => {
  const PRIVATE = { mode: 0o600 }
  const LINE = Buffer.alloc(32, 7).toString('base64url')
  const route = 'forward: { certificate: { ca: kube, subject: { CN: identity.user } } }'
  const config = `${configuration({ route })}\ncertificateGrants: { keyring: file:grant.keys }\n`

  it('seals the grant of a route', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('grant.keys'), LINE, PRIVATE)
    const snapshot = await build(folder, { config })
    const headers = [['authorization', basic('alice', 'secret')]] as const
    const decision = await check(attributesOf({ headers }), snapshot, FOREVER)
    assert.equal(decision.outcome, 'allow')
    const opening = new GrantSeal(parseGrantKeys('test', LINE)).open(
      decision.credentials.secret?.name ?? '',
    )
    assert.equal(opening.outcome, 'opened')
    const { authority, route: name, authenticator, subject } = opening.grant
    assert.deepEqual(
      { authority, name, authenticator, subject: formatName(decodeName(subject)) },
      { authority: 'kube', name: 'app', authenticator: 'staff', subject: 'CN=alice' },
    )
  })

  const PROBLEMS: readonly { name: string; keyring?: string; mode?: number; want: RegExp }[] = [
    { name: 'missing', want: /grant\.keys does not exist$/ },
    { name: 'empty', keyring: '# none yet\n', want: /grant\.keys holds no key; / },
    { name: 'malformed', keyring: `${LINE}\n${LINE}x\n`, want: /grant\.keys:2 is not a key: / },
    {
      name: 'has a key twice',
      keyring: `${LINE}\n${LINE}\n`,
      want: /grant\.keys holds a key twice$/,
    },
    {
      name: 'readable by other users',
      keyring: LINE,
      mode: 0o644,
      want: /grant\.keys has mode 0644: the keyring of certificate grants is for its owner, /,
    },
  ]
  for (const { name, keyring, mode, want } of PROBLEMS) {
    it(`stops the start when it is ${name}, with the position in the configuration`, async () => {
      await using folder = await temporaryFolder()
      if (keyring !== undefined) {
        await writeFile(folder.file('grant.keys'), keyring, { mode: mode ?? 0o600 })
      }
      await assert.rejects(build(folder, { config }), (cause) => {
        assert.ok(cause instanceof ConfigurationError)
        const [problem, ...more] = cause.problems
        assert.equal(more.length, 0)
        assert.equal(problem?.path, 'certificateGrants.keyring')
        assert.equal(problem.position?.line, config.split('\n').length - 1)
        assert.match(problem.message, want)
        assert.ok(!cause.message.includes(LINE.slice(0, 8)))
        return true
      })
    })
  }
})

describe('the credential cache of a snapshot', () => {
  const setUp = () => new CredentialCache(new FakeClock())

  it('outlives a reload that does not change the authenticator', async () => {
    await using folder = await temporaryFolder()
    const credentialCache = setUp()
    assert.equal(await ask(await build(folder, {}, credentialCache)), 'permitted')
    assert.equal(await ask(await build(folder, {}, credentialCache, new BrokenPool())), 'permitted')
  })

  it('keeps a credential, which the new rules judge', async () => {
    await using folder = await temporaryFolder()
    const credentialCache = setUp()
    await ask(await build(folder, {}, credentialCache))
    const config = configuration({ groups: 'ops' })
    assert.equal(
      await ask(await build(folder, { config }, credentialCache, new BrokenPool())),
      'no-rule',
    )
  })

  const ENDS = [
    { name: 'where the users file changes', next: { users: usersFile('dev, ops') } },
    {
      name: 'where cacheTtl becomes 0',
      next: { config: configuration({ cacheTtl: '0s' }) },
    },
    {
      name: 'where cacheTtl becomes shorter',
      next: { config: configuration({ cacheTtl: '1s' }) },
    },
  ]
  for (const { name, next } of ENDS) {
    it(`is not used ${name}`, async () => {
      await using folder = await temporaryFolder()
      const credentialCache = setUp()
      await ask(await build(folder, {}, credentialCache))
      const after = await build(folder, next, credentialCache, new BrokenPool())
      assert.equal(await ask(after), 'authenticator-unavailable')
    })
  }
})

describe('failed attempts at a snapshot', () => {
  const guess = async (snapshot: Snapshot, password: string): Promise<string> => {
    const headers = [['authorization', basic('alice', password)]] as const
    return (await check(attributesOf({ headers }), snapshot, FOREVER)).reason
  }
  const failing = async (folder: TemporaryFolder, config?: string) => {
    const state = memoryState(new FakeClock())
    const texts = config === undefined ? {} : { config }
    const credentialCache = new CredentialCache(new FakeClock())
    const snapshot = await build(folder, texts, credentialCache, new HashPool(), state)
    for (const password of ['1', '2', '3', '4', '5']) {
      assert.equal(await guess(snapshot, password), 'credential-wrong')
    }
    return { snapshot, credentialCache, state }
  }

  it('are counted, unless bruteForceProtection is false', async () => {
    await using folder = await temporaryFolder()
    const { snapshot } = await failing(folder)
    assert.equal(await guess(snapshot, 'secret'), 'too-many-attempts')
    const config = configuration().replace('basic: {', 'basic: { bruteForceProtection: false,')
    const { snapshot: unguarded } = await failing(folder, config)
    assert.equal(await guess(unguarded, 'secret'), 'permitted')
  })

  it('outlive a reload, also one that changes the users', async () => {
    await using folder = await temporaryFolder()
    const { credentialCache, state } = await failing(folder)
    const users = usersFile('dev, ops')
    const next = await build(folder, { users }, credentialCache, new HashPool(), state)
    assert.equal(await guess(next, 'secret'), 'too-many-attempts')
  })

  it('are counted by authenticator', async () => {
    await using folder = await temporaryFolder()
    const { credentialCache, state } = await failing(folder)
    const config = configuration().replaceAll('staff', 'others')
    const next = await build(folder, { config }, credentialCache, new HashPool(), state)
    assert.equal(await guess(next, 'secret'), 'permitted')
  })
})
