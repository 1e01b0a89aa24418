// The single executable of a release: it runs where there is no Node, and has its threads and native modules in it.
//
// Slow: it makes the program.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { unless } from './unless.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const skip = unless(
  process.platform === 'linux' && process.arch === 'x64' && existsSync('/usr/bin/strip'),
  'is for Linux on x86-64, and needs strip: apt-get install binutils',
)

describe('the single executable', { skip }, () => {
  let folder: TemporaryFolder
  let program = ''

  before(async () => {
    folder = await temporaryFolder()
    const dist = folder.file('dist')
    await run(process.execPath, [join(ROOT, 'scripts/release.ts'), dist, '--only', 'executable'])
    program = join(dist, `countersign-${packageJson.version}-linux-x64`)
  })

  after(async () => await folder[Symbol.asyncDispose]())

  const env = (): NodeJS.ProcessEnv => ({
    PATH: '/nowhere',
    HOME: folder.path,
    TMPDIR: folder.path,
  })

  for (const command of ['login', 'credential', 'kubeconfig', 'validate', 'explain', 'trace']) {
    it(`has ${command}`, async () => {
      const { stdout } = await run(program, [command, '--help'], { env: env() })
      assert.match(stdout, new RegExp(`^Usage: countersign ${command}`))
    })
  }

  it('says its version', async () => {
    assert.equal(
      (await run(program, ['--version'], { env: env() })).stdout,
      `${packageJson.version}\n`,
    )
  })

  for (const [options, want] of [
    [[], /^\$argon2id\$/],
    [['--algorithm', 'bcrypt'], /^\$2[aby]\$/],
  ] as const) {
    it(`hashes a password by its native module, and leaves no file: ${['hash-password', ...options].join(' ')}`, async () => {
      const files = await readdir(folder.path)
      const child = spawn(program, ['hash-password', ...options], {
        env: env(),
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      child.stdin.end('a password\n')
      let output = ''
      child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')))
      await once(child, 'close')
      assert.match(output, want)
      assert.deepEqual(await readdir(folder.path), files)
    })
  }

  it('reads long YAML in its thread', async () => {
    const users = Array.from({ length: 500 }, (_, index) => `  user${index}: { groups: [a] }\n`)
    await writeFile(folder.file('users.yaml'), `users:\n${users.join('')}`)
    await writeFile(
      folder.file('long.yaml'),
      'version: 1\nlisten: { authz: "127.0.0.1:0" }\nauthenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }\nroutes: [{ name: a, authenticate: [staff], authorize: [{ allow: all }], forward: { headers: kubernetes } }]\n',
    )
    const failure: unknown = await run(
      program,
      ['validate', '--config', folder.file('long.yaml')],
      {
        env: env(),
      },
    ).catch((error: unknown) => error)
    assert.match(String(Reflect.get(Object(failure), 'stderr')), /users\.yaml:2:.*password/)
  })
})
