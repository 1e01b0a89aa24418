// The npm package of a release: what is in it, and the main job of Countersign with what npm
// installs from it into an empty folder.
//
// Slow: it makes a release, and npm installs it.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { findEnvoy } from '../../src/envoy/binary.ts'
import { configuration, usersFile } from '../e2e/site.ts'
import { blocksTestedBy } from '../docs/examples/blocks.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { createPki } from '../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { startMainJob } from './main-job.ts'
import { releaseTo } from './running.ts'

const run = promisify(execFile)

let folder: TemporaryFolder
let archive = ''
before(async () => {
  folder = await temporaryFolder()
  await releaseTo(folder.file('dist'), 'npm')
  archive = folder.file(`dist/countersign-${packageJson.version}.tgz`)
})

after(async () => await folder[Symbol.asyncDispose]())

describe('the package', () => {
  it('has the bundle, the schemas and the texts, and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', archive])
    const files = stdout.trim().split('\n')
    const ALLOWED =
      /^package\/(?:bin\/countersign\.js|lib\/(?:countersign|forward-worker|worker|yaml-worker|part-[A-Z0-9]{8})\.js|schema\/(?:audit|countersign|signer|users)\.schema\.json|package\.json|(?:README|CHANGELOG|SECURITY)\.md|LICENSE|THIRD-PARTY-NOTICES)$/
    assert.deepEqual(
      files.filter((file) => !ALLOWED.test(file)),
      [],
    )
    assert.ok(files.length > 50)
  })

  it('is below 2 MB', async () => assert.ok((await stat(archive)).size < 2_000_000))
})

describe('in an empty folder, npm installs a command', () => {
  let command = ''

  before(async () => {
    const place = folder.file('installed')
    await mkdir(place)
    await writeFile(join(place, 'package.json'), '{ "private": true }')
    await copyFile(archive, join(place, basename(archive)))
    const [commands] = blocksTestedBy('test/release/npm-package.test.ts', 'docs/operate/install.md')
    const options = { prefer_offline: 'true', audit: 'false', fund: 'false' }
    const variables = Object.entries(options).map(([name, value]) => [`npm_config_${name}`, value])
    const env = { ...process.env, ...Object.fromEntries(variables) }
    const { stdout } = await run('sh', ['-ec', commands?.text ?? ''], { cwd: place, env })
    assert.match(stdout, new RegExp(`^${packageJson.version.replaceAll('.', '\\.')}$`, 'm'))
    command = join(place, 'node_modules/.bin/countersign')
  })

  it('that says its version', async () => {
    const { stdout } = await run(command, ['--version'])
    assert.equal(stdout, `${packageJson.version}\n`)
  })

  it('that has every command: each prints its help', async () => {
    const { stdout } = await run(command, ['--help'])
    const names = [...stdout.matchAll(/^ {2}([a-z-]+) .*/gm)].map(([, name = '']) => name)
    assert.ok(names.length > 15, stdout)
    const helps = await Promise.all(
      names.map(async (name) => (await run(command, [name, '--help'])).stdout),
    )
    for (const help of helps) assert.match(help, /^Usage: countersign /)
  })

  it('that hashes passwords by the native module', async () => {
    const child = spawn(command, ['hash-password'], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end('a password\n')
    let output = ''
    child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')))
    await once(child, 'close')
    assert.match(output, /^\$argon2id\$/)
  })

  it('that reads long YAML in its thread', async () => {
    const file = folder.file('users.yaml')
    const site = folder.file('long.yaml')
    const users = Array.from({ length: 500 }, (_, index) => `  user${index}: { groups: [a] }\n`)
    await writeFile(file, `users:\n${users.join('')}`)
    await writeFile(
      site,
      'version: 1\nlisten: { authz: "127.0.0.1:0" }\nauthenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }\nroutes: [{ name: a, authenticate: [staff], authorize: [{ allow: all }], forward: { headers: kubernetes } }]\n',
    )
    const failure: unknown = await run(command, ['validate', '--config', site]).catch(
      (error: unknown) => error,
    )
    assert.match(String(Reflect.get(Object(failure), 'stderr')), /users\.yaml:2:.*password/)
  })

  it('whose up says how to get Envoy where there is none', async () => {
    const site = folder.file('up.yaml')
    await using pki = await createPki()
    await writeFile(folder.file('users.yaml'), await usersFile())
    await writeFile(site, stringify(configuration(pki, 1)))
    const { COUNTERSIGN_CACHE: _, ENVOY_BIN: __, ...env } = process.env
    const failure: unknown = await run(process.execPath, [command, 'up', '--config', site], {
      env: { ...env, PATH: '/nowhere' },
    }).catch((error: unknown) => error)
    assert.match(String(Reflect.get(Object(failure), 'stderr')), /no Envoy found: install Envoy ≥/)
  })

  it('whose init and up do the main job', { skip: skipWithoutEnvoy() }, async () => {
    await using site = await temporaryFolder()
    // Nothing of the clone or of its user: Node and Envoy alone.
    const env = {
      PATH: dirname(process.execPath),
      HOME: site.file('home'),
      ENVOY_BIN: findEnvoy(),
    }
    await mkdir(env.HOME)
    await using job = await startMainJob({
      run: async (args) => (await run(command, args, { cwd: site.path, env })).stdout,
      folder: 'gateway',
      file: (name) => site.file(join('gateway', name)),
    })
    const up = ['up', '--config', 'gateway/countersign.yaml']
    const child = spawn(command, up, { cwd: site.path, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = once(child, 'exit')
    let log = ''
    child.stderr.on('data', (data: Buffer) => (log += data.toString('utf8')))
    try {
      await job.check()
    } catch (cause) {
      throw new Error(log, { cause })
    } finally {
      child.kill('SIGTERM')
      assert.deepEqual(await ended, [0, null])
    }
  })
})
