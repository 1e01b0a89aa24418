// The single executable of a release: in a root where there are only the libraries of C and C++, it does what users of kubectl do with
// it, and has its threads and native modules in it.
//
// Slow: it makes the program.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { LIBRARIES } from '../../scripts/release/image.ts'
import { confirmDevice, newBrowser } from '../cli/login/browsing.ts'
import { until } from '../fakes/until.ts'
import { startNodeOidc } from '../servers/node-oidc.ts'
import { createPki } from '../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { releaseTo, TOKENS } from './running.ts'
import { unless } from './unless.ts'

const skip = unless(
  process.getuid?.() === 0 && process.arch === 'x64' && existsSync('/usr/bin/strip'),
  'is for Linux on x86-64, and needs root, and strip: apt-get install binutils',
)

const NOBODY = 65_534
const LONG_USERS = Array.from({ length: 500 }, (_, index) => `  user${index}: { groups: [a] }\n`)

describe('the single executable, without Node', { skip }, () => {
  let folder: TemporaryFolder
  let root = ''

  before(async () => {
    folder = await temporaryFolder()
    root = folder.file('root')
    await releaseTo(folder.file('dist'), 'executable')
    for (const path of LIBRARIES) await put(path)
    await mkdir(join(root, 'etc'))
    await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
    await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files\n')
    await mkdir(join(root, 'home'))
    await chmod(join(root, 'home'), 0o777)
    const name = `countersign-${packageJson.version}-linux-x64`
    await cp(folder.file(`dist/${name}`), join(root, 'countersign'))
    await chmod(folder.path, 0o755)
  })

  after(async () => await folder[Symbol.asyncDispose]())

  const put = async (path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(await realpath(path), join(root, path))
  }
  const home = (name: string): string => join(root, 'home', name)

  /** Starts the program in its root, as a user without rights. */
  const start = (args: readonly string[], input = '') => {
    const child = spawn(
      '/usr/sbin/chroot',
      [`--userspec=${NOBODY}:${NOBODY}`, root, '/countersign', ...args],
      {
        env: { HOME: '/home', TMPDIR: '/home' },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    )
    child.stdin.end(input)
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    const ended = Promise.all([text(child.stdout), once(child, 'close')]).then(
      ([stdout, [status]]) => ({ stdout, stderr, status }),
    )
    return { ended, said: () => stderr }
  }
  const run = async (args: readonly string[], input = '') => await start(args, input).ended
  const outputOf = async (args: readonly string[], input = ''): Promise<string> => {
    const { stdout, stderr, status } = await run(args, input)
    assert.equal(status, 0, stderr)
    return stdout
  }

  it('says its version', async () =>
    assert.equal(await outputOf(['--version']), `${packageJson.version}\n`))

  it('logs in with a code on another device, and gives kubectl the token', async () => {
    await using pki = await createPki()
    await using provider = await startNodeOidc(pki.upstream)
    await copyFile(pki.ca, home('ca.pem'))
    const at = ['--issuer', provider.issuer, '--ca', '/home/ca.pem']
    const { said, ended } = start(['login', ...at, '--device'])
    const printed = (): string | undefined => /^ {2}(https:\S+user_code=\S+)$/m.exec(said())?.[1]
    await until(() => printed() !== undefined, 'the page for the code is printed')
    await confirmDevice(await newBrowser(pki.ca), printed() ?? '')
    const { status, stderr } = await ended
    assert.equal(status, 0, stderr)
    const credential: unknown = JSON.parse(await outputOf(['credential', ...at]))
    assert.match(JSON.stringify(credential), /"kind":"ExecCredential".*"token":"ey/)
  })

  it('validates a configuration, and explains why a request is refused', async () => {
    await writeFile(home('countersign.yaml'), TOKENS)
    const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    await writeFile(home('keys.json'), JSON.stringify({ keys: [key] }))
    const config = ['--config', '/home/countersign.yaml']
    await outputOf(['validate', ...config])
    const { status, stdout } = await run(['explain', ...config, '--host', 'a.example.org'])
    assert.equal(status, 1)
    assert.match(stdout, /401/)
    assert.match(
      await outputOf(['explain', ...config, '--host', 'a.example.org', '--user', 'alice']),
      /permitted by "all"/,
    )
  })

  for (const [options, want] of [
    [[], /^\$argon2id\$/],
    [['--algorithm', 'bcrypt'], /^\$2[aby]\$/],
  ] as const) {
    it(`hashes a password by its native module, and leaves no file: ${['hash-password', ...options].join(' ')}`, async () => {
      const files = await readdir(home(''))
      assert.match(await outputOf(['hash-password', ...options], 'a password\n'), want)
      assert.deepEqual(await readdir(home('')), files)
    })
  }

  it('reads long YAML in its thread', async () => {
    await writeFile(home('users.yaml'), `users:\n${LONG_USERS.join('')}`)
    await writeFile(
      home('long.yaml'),
      'version: 1\nlisten: { authz: "127.0.0.1:0" }\nauthenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }\nroutes: [{ name: a, authenticate: [staff], authorize: [{ allow: all }], forward: { headers: kubernetes } }]\n',
    )
    const { stderr } = await run(['validate', '--config', '/home/long.yaml'])
    assert.match(stderr, /users\.yaml:2:.*password/)
  })
})
