import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { z } from 'zod'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { startCertificateUpstream } from '../../servers/certificate-upstream.ts'
import { http1, type Target } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createPki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startUpstream } from '../../servers/upstream.ts'
import { ALICE, configuration, eventually, HOST, received, usersFile } from '../site.ts'

// Without it Envoy outlives a SIGKILL of its parent (see runtime/child.ts).
const withoutSetpriv = existsSync('/usr/bin/setpriv')
  ? false
  : 'setpriv (util-linux) is not installed'

describe('countersign up', { skip: skipWithoutEnvoy() }, () => {
  it('starts Envoy and authz, prints their addresses, and forwards', async () => {
    await using up = await startUp()
    const answer = await http1(up.target, { headers: [ALICE] })
    assert.equal(answer.status, 200)
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends both with status 0 on ${signal}`, async () => {
      await using up = await startUp()
      const children = up.children()
      up.process.kill(signal)
      assert.equal(await up.ended, 0)
      assert.deepEqual(children.filter(isAlive), [])
    })
  }

  for (const victim of ['authz', 'envoy'] as const) {
    it(`ends with status 1, and ends the other, when ${victim} dies`, async () => {
      await using up = await startUp()
      const children = up.children()
      process.kill(up.child(victim), 'SIGKILL')
      assert.equal(await up.ended, 1)
      assert.match(
        up.log(),
        victim === 'authz' ? /authz ended by SIGKILL/ : /Envoy ended by SIGKILL/,
      )
      assert.deepEqual(children.filter(isAlive), [])
    })
  }

  it('starts the signer as well where a route forwards certificates', async () => {
    await using up = await startUp(writeCertificateSite)
    assert.equal(up.children().length, 3)
    const answer = await http1(up.target, { headers: [ALICE] })
    assert.equal(answer.status, 200)
    assert.match(answer.body, /"subject":"CN=alice"/)
    process.kill(up.child('signer'), 'SIGKILL')
    assert.equal(await up.ended, 1)
    assert.match(up.log(), /signer ended by SIGKILL/)
  })

  it('reports a missing configuration of the signer', async () => {
    await using site = await writeCertificateSite()
    const { process: child, log } = launch(site.config, ['--signer-config', '/nowhere/signer.yaml'])
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /\/nowhere\/signer\.yaml does not exist/)
  })

  it('leaves no process when it is killed (SIGKILL)', { skip: withoutSetpriv }, async () => {
    await using up = await startUp()
    const children = up.children()
    assert.equal(children.length, 2)
    up.process.kill('SIGKILL')
    await up.ended
    const left = (): Promise<readonly number[]> => Promise.resolve(children.filter(isAlive))
    await eventually(left, ({ length }) => length === 0)
  })

  it('forwards SIGHUP: authz reloads', async () => {
    await using up = await startUp()
    up.process.kill('SIGHUP')
    await eventually(
      () => Promise.resolve(up.log()),
      (log) => log.includes('configuration loaded'),
    )
    assert.equal((await http1(up.target, { headers: [ALICE] })).status, 200)
  })

  it('reports a wrong configuration, and starts nothing', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    await writeFile(config, 'version: 1\nsurprise: true\n')
    const { process: child, log } = launch(config)
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /countersign\.yaml:2:1: surprise: unknown key/)
  })

  it('says where to get an Envoy when the configured one does not exist', async () => {
    await using site = await writeSite()
    const { process: child, log } = launch(site.config, ['--envoy', '/nowhere/envoy'])
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /there is no Envoy at \/nowhere\/envoy/)
  })
})

interface Up extends AsyncDisposable {
  readonly process: ChildProcess
  readonly target: Target
  readonly ended: Promise<number | null>
  readonly log: () => string
  /** Process ids of authz, the signer if there is one, and Envoy. */
  children(): readonly number[]
  child(name: keyof typeof COMMANDS): number
}

// Arguments are kept apart by NUL (proc(5)).
const COMMANDS = {
  authz: 'countersign.ts\0authz',
  signer: 'countersign.ts\0signer',
  envoy: 'envoy.yaml',
} as const

const startUp = async (write: () => Promise<WrittenSite> = writeSite): Promise<Up> => {
  await using stack = new AsyncDisposableStack()
  const site = stack.use(await write())
  const { process: child, log } = launch(site.config)
  const ended = exitOf(child)
  stack.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  })
  const ready = /ready, listening on https:\/\/.*:(\d+)/
  const port = async (): Promise<string | undefined> => ready.exec(log())?.[1]
  const found = await eventually(port, (value) => value !== undefined || child.exitCode !== null)
  assert.ok(found, log())
  const running = stack.move()
  const children = (): readonly number[] => childrenOf(child.pid ?? 0)
  return {
    process: child,
    target: { port: Number(found), serverName: HOST, ca: site.ca },
    ended,
    log,
    children,
    child: (name) => children().find((pid) => commandOf(pid).includes(COMMANDS[name])) ?? 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

interface WrittenSite extends AsyncDisposable {
  readonly config: string
  readonly ca: string
}

const writeSite = async (): Promise<WrittenSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const upstream = stack.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
  const config = folder.file('countersign.yaml')
  await writeFile(folder.file('users.yaml'), await usersFile())
  await writeFile(config, stringify(configuration(pki, upstream.port)))
  const owned = stack.move()
  return { config, ca: pki.ca, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The same with an upstream that wants a certificate from every caller. */
const writeCertificateSite = async (): Promise<WrittenSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const clientCas = await readFile(pki.ca, 'utf8')
  const upstream = stack.use(await startCertificateUpstream({ identity: pki.upstream, clientCas }))
  const certificate = { ca: 'kube', subject: { CN: 'identity.user' } }
  const { envoy, ...rest } = configuration(pki, upstream.port, {
    route: { forward: { certificate } },
  })
  const config = folder.file('countersign.yaml')
  await writeFile(folder.file('users.yaml'), await usersFile())
  await writeFile(folder.file('grant.keys'), newGrantKeyLine())
  await writeFile(
    config,
    stringify({
      ...rest,
      certificateGrants: { keyring: 'file:grant.keys' },
      envoy: { ...z.looseObject({}).parse(envoy), signerAddress: 'unix:signer.sock' },
    }),
  )
  const signer = {
    version: 1,
    listen: 'unix:signer.sock',
    authorities: { kube: { certificate: pki.ca, key: `file:${pki.key}` } },
  }
  await writeFile(folder.file('signer.yaml'), stringify(signer))
  const owned = stack.move()
  return { config, ca: pki.ca, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const launch = (
  config: string,
  more: readonly string[] = [],
): { process: ChildProcess; log: () => string } => {
  const command = resolve(import.meta.dirname, '../../../src/countersign.ts')
  const child = spawn(process.execPath, [command, 'up', '--config', config, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
  return { process: child, log: () => log }
}

const exitOf = async (child: ChildProcess): Promise<number | null> => {
  const { promise, resolve: settle } = Promise.withResolvers<number | null>()
  child.once('exit', settle)
  return await promise
}

/** Linux: the processes whose parent it is. */
const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number)

const parentOf = (pid: string): number | undefined => {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined // ended meanwhile
  }
}

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

/** Whether the process exists and is not a zombie. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
