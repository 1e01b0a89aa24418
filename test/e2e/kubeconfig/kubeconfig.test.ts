import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import type { Login } from '../../../src/cli/login/login-record.ts'
import { confirmDevice, newBrowser } from '../../cli/login/browsing.ts'
import { run, start } from '../../cli/login/running.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer, startKubeApiServer } from '../../servers/kube-apiserver.ts'
import { kubectl, skipWithoutKubectl, type KubectlResult } from '../../servers/kubectl.ts'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'
import {
  NODE_CLIENTS,
  NODE_RESOURCE,
  startNodeOidc,
  type NodeOidc,
} from '../../servers/node-oidc.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { atTerminal, skipWithoutTerminal } from '../../servers/terminal.ts'
import { HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { reviewSchema } from '../self-subject-review.ts'

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl()

const userIn = (output: string): string => {
  const { username, groups } = reviewSchema.parse(JSON.parse(output)).status.userInfo
  return `${username}: ${groups.filter((group) => group !== 'system:authenticated').join(', ')}`
}

/** Words that belong together, on one line. */
const words = (...all: readonly string[]): readonly string[] => all

const URL_LINE = /^ {2}(https:\/\/localhost:\S+)$/m

describe('a kubeconfig by countersign kubeconfig', { skip, timeout: 240_000 }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  let provider: NodeOidc
  let site: Site
  let folder: TemporaryFolder
  before(async () => {
    folder = owned.use(await temporaryFolder())
    pki = owned.use(await createPki())
    provider = owned.use(await startNodeOidc(pki.upstream))
    const server = owned.use(await startKubeApiServer())
    site = owned.use(
      await startSite({
        upstream: {
          address: new URL(server.url).host,
          ca: server.ca,
          serverName: 'kubernetes',
          ...server.frontProxy,
        },
        listener: { clientCa: pki.ca },
        authenticators: {
          tokens: {
            bearer: {
              issuer: provider.issuer,
              keys: { ca: pki.ca },
              audiences: [NODE_RESOURCE, NODE_CLIENTS.cli],
            },
            identity: { user: 'claims.preferred_username', groups: 'claims.groups' },
          },
          certificates: { certificate: { trust: pki.ca } },
        },
        route: {
          kind: 'kubernetes',
          match: { hosts: [HOST, '127.0.0.1'] },
          authenticate: ['tokens', 'staff', 'certificates'],
          authorize: [{ allow: 'rbac-decides' }],
        },
      }),
    )
  })
  after(() => owned.disposeAsync())

  const file = (): string => folder.file('kubeconfig')

  /** Adds a way to the file; gives the name of its context. */
  const add = async (user: string, ...args: readonly string[]): Promise<string> => {
    const { port, ca } = site.target
    const { status, stdout, stderr } = await run(
      [
        ...words('kubeconfig', '--server', `https://127.0.0.1:${port}`, '--tls-server-name', HOST),
        ...words('--ca', ca, '--user', user, '--merge', '--output', file(), '--json'),
        ...args,
      ],
      { state: folder.path },
    )
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout).context
  }

  const ask = (context: string, state = folder.path): Promise<KubectlResult> =>
    kubectl([`--kubeconfig=${file()}`, `--context=${context}`, 'auth', 'whoami', '-o', 'json'], {
      XDG_STATE_HOME: state,
    })

  const whoAmI = async (context: string): Promise<string> => {
    const { code, output, complaint } = await ask(context)
    assert.equal(code, 0, complaint)
    return userIn(output)
  }

  const STAFF = 'alice: dev, ops, with, comma'

  it('1. authenticates by a password from a file', async () => {
    await writeFile(folder.file('password'), PASSWORDS.jürgen)
    const args = ['--auth-method', 'password', '--password-file', folder.file('password')]
    assert.equal(await whoAmI(await add('jürgen', ...args)), 'jürgen: größe')
  })

  it(
    '2. authenticates by a password that kubectl prompts for',
    { skip: skipWithoutTerminal() },
    async () => {
      const context = await add('asked', '--auth-method', 'password')
      const line = [KUBECTL, `--kubeconfig=${file()}`, `--context=${context}`, 'auth', 'whoami']
      await using terminal = atTerminal(line, { HOME: folder.file('home') })
      await terminal.shows(/Please enter Username: /)
      terminal.type('alice')
      await terminal.shows(/Please enter Password: /)
      terminal.type(PASSWORDS.alice)
      const { status, screen } = await terminal.ended
      assert.equal(status, 0, screen)
      assert.match(screen, /Username +alice/)
      // Without a terminal there is no one to answer: it fails, and does not wait.
      assert.equal((await ask(context)).code, 1)
    },
  )

  for (const embed of [[], ['--embed']]) {
    it(`3. authenticates by a client certificate${embed.length > 0 ? ', embedded' : ''}`, async () => {
      const { certificate, key } = pki.alice
      const args = ['--auth-method', 'certificate', '--client-certificate', certificate]
      const name = `alice${embed.join('')}`
      const context = await add(name, ...args, '--client-key', key, '--cluster', name, ...embed)
      assert.equal(await whoAmI(context), 'alice: developers')
    })
  }

  const exec = (...more: readonly string[]): readonly string[] => [
    '--auth-method',
    'exec',
    '--issuer',
    provider.issuer,
    '--issuer-ca',
    pki.ca,
    ...more,
  ]

  /** Logs alice in, in her browser. */
  const logIn = async (...more: readonly string[]): Promise<void> => {
    const args = ['login', '--issuer', provider.issuer, '--ca', pki.ca, '--no-browser', ...more]
    await using login = start(args, { state: folder.path })
    const [, url = ''] = await login.says(URL_LINE)
    await (await newBrowser(pki.ca)).go(url)
    const { status, stderr } = await login.ended
    assert.equal(status, 0, stderr)
  }

  const WITH_TOKEN = 'alice: developers, staff'

  for (const [kind, ...more] of [
    ['an access token', '--resource', NODE_RESOURCE],
    ['an ID token'],
  ] as const) {
    it(`4. authenticates by ${kind} of an OpenID provider; 5. prints the login command without a login`, async () => {
      const context = await add(kind, ...exec(...more))
      const { code, complaint } = await ask(context)
      assert.equal(code, 1)
      const told = /run: countersign (login .*)\n/.exec(complaint)
      assert.deepEqual(told?.[1]?.split(' '), [
        'login',
        `--issuer=${provider.issuer}`,
        ...(more.length === 0 ? [] : [`--resource=${NODE_RESOURCE}`]),
        `--ca=${pki.ca}`,
      ])
      await logIn(...more)
      assert.equal(await whoAmI(context), WITH_TOKEN)
    })
  }

  it('5. starts a login at a terminal', { skip: skipWithoutTerminal() }, async () => {
    await using home = await temporaryFolder()
    const context = await add('an ID token', ...exec())
    const line = [KUBECTL, `--kubeconfig=${file()}`, `--context=${context}`, 'auth', 'whoami']
    await using terminal = atTerminal(line, {
      HOME: home.file('home'),
      XDG_STATE_HOME: home.path,
    })
    const [, url = ''] = await terminal.shows(/(https:\/\/\S+user_code=\S+)\s/)
    assert.ok(url.startsWith(provider.issuer))
    await confirmDevice(await newBrowser(pki.ca), url)
    const { status, screen } = await terminal.ended
    assert.equal(status, 0, screen)
    assert.match(screen, /Logged in at \S+ as alice until [^]*Username +alice/)
  })

  /** Keeps what is held for a resource with an access token that has ended; gives what it was. */
  const endToken = async (): Promise<Login> => {
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    const request = {
      issuer: provider.issuer,
      clientId: NODE_CLIENTS.cli,
      resource: NODE_RESOURCE,
    }
    const login = await cache.read(request)
    assert.ok(login !== undefined)
    await cache.write({ ...login, accessToken: { value: 'ended', expires: Date.now() - 1 } })
    return login
  }

  it('6. renews tokens once for ten simultaneous kubectl, and works while the provider is down', async () => {
    const more = ['--resource', NODE_RESOURCE]
    const context = await add('an access token', ...exec(...more))
    await logIn(...more)
    await endToken()
    provider.reset()
    const users = await Promise.all(Array.from({ length: 10 }, () => whoAmI(context)))
    assert.deepEqual(new Set(users), new Set([WITH_TOKEN]))
    assert.deepEqual(provider.granted, ['refresh_token'])
    await provider.stop()
    try {
      assert.equal(await whoAmI(context), WITH_TOKEN)
      await endToken()
      const { code, complaint } = await ask(context)
      assert.equal(code, 1)
      assert.match(complaint, /countersign: the tokens of \S+ have expired and cannot be renewed: /)
    } finally {
      await provider.start()
    }
    assert.equal(await whoAmI(context), WITH_TOKEN)
  })

  it('7. authenticates by a token from a file', async () => {
    await logIn('--resource', NODE_RESOURCE)
    const { accessToken } = await endToken()
    await writeFile(folder.file('token'), accessToken.value)
    const context = await add(
      'file',
      '--auth-method',
      'token',
      '--token-file',
      folder.file('token'),
    )
    assert.equal(await whoAmI(context), WITH_TOKEN)
  })

  it('8. prints the login command after a logout', async () => {
    const context = await add('an access token', ...exec('--resource', NODE_RESOURCE))
    await logIn('--resource', NODE_RESOURCE)
    assert.equal(await whoAmI(context), WITH_TOKEN)
    const { status, stdout } = await run(['logout', '--all'], { state: folder.path })
    assert.equal(status, 0, stdout)
    const { code, complaint } = await ask(context)
    assert.equal(code, 1)
    assert.match(complaint, /there is no login at \S+; run: countersign login /)
  })

  it('…authenticates by a password in the same file, and not by a wrong one (the control)', async () => {
    await writeFile(folder.file('password'), PASSWORDS.alice)
    const args = ['--auth-method', 'password', '--password-file', folder.file('password')]
    assert.equal(await whoAmI(await add('alice', ...args, '--replace')), STAFF)
    await writeFile(folder.file('password'), 'wrong')
    const wrong = await ask(await add('alice', ...args, '--replace'))
    assert.equal(wrong.code, 1)
    assert.match(wrong.complaint, /The credential was not accepted/)
  })
})
