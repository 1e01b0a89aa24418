// What the set-up of docker-compose.yml makes: that its parts fit together, that each service gets only its
// own, and that it keeps what is there.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:https'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { setUp, type Place } from '../../deploy/compose/setup.ts'
import { createUpstream, type Received } from '../../deploy/compose/upstream.ts'
import { USERS } from '../../demo/tour.ts'
import { HashPool } from '../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../src/authenticate/password/users-file.ts'
import { http1, type Answer } from '../servers/client.ts'
import type { KeyPair } from '../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const CONFIG = resolve(import.meta.dirname, '../../deploy/compose/countersign.yaml')

const SERVICES = ['authz', 'signer', 'envoy', 'upstream'] as const

const placeIn = ({ path }: TemporaryFolder, config = CONFIG): Place => {
  const group = process.getgid?.() ?? 0
  const groups = Object.fromEntries(SERVICES.map((service) => [service, group]))
  return { root: path, config, groups }
}

/** Every file below the root with its contents. */
const contentsOf = async (root: string): Promise<Readonly<Record<string, string>>> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(
      files.map(
        async (file) => [file.slice(root.length + 1), await readFile(file, 'utf8')] as const,
      ),
    ),
  )
}

describe('the setup of docker-compose.yml', () => {
  it('writes the files of each service, readable by its group only', async () => {
    await using folder = await temporaryFolder()
    assert.equal(await setUp(placeIn(folder)), true)
    const files = Object.keys(await contentsOf(folder.path)).toSorted()
    assert.deepEqual(files, [
      'authz/grant.keys',
      'authz/users.yaml',
      'envoy/ca.pem',
      'envoy/edge.key',
      'envoy/edge.pem',
      'envoy/envoy.yaml',
      'envoy/front-proxy.key',
      'envoy/front-proxy.pem',
      'envoy/rate.json',
      'envoy/upstream-ca.pem',
      'signer/ca.key',
      'signer/ca.pem',
      'signer/grant.keys',
      'upstream/client-ca.pem',
      'upstream/upstream.key',
      'upstream/upstream.pem',
    ])
    const modes = await Promise.all(files.map(async (file) => (await stat(folder.file(file))).mode))
    assert.deepEqual(new Set(modes.map((mode) => mode & 0o7777)), new Set([0o640]))
    const folders = SERVICES.map(async (name) => (await stat(folder.file(name))).mode)
    assert.deepEqual(
      new Set((await Promise.all(folders)).map((mode) => mode & 0o7777)),
      new Set([0o750]),
    )
  })

  it('keeps existing files, except Envoy’s configuration', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const before = await contentsOf(folder.path)
    await rm(folder.file('envoy/envoy.yaml'))
    assert.equal(await setUp(placeIn(folder)), false)
    assert.deepEqual(await contentsOf(folder.path), before)
  })

  it('writes all files again when one is missing', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const before = await contentsOf(folder.path)
    await rm(folder.file('upstream/client-ca.pem'))
    assert.equal(await setUp(placeIn(folder)), true)
    const after = await contentsOf(folder.path)
    assert.deepEqual(Object.keys(after).toSorted(), Object.keys(before).toSorted())
    assert.notEqual(after['envoy/front-proxy.key'], before['envoy/front-proxy.key'])
  })

  it('reports a group that it may not use', async () => {
    await using folder = await temporaryFolder()
    await assert.rejects(setUp({ ...placeIn(folder), groups: {} }), /group of the service "authz"/)
  })

  it('writes the users of the tutorial', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const file = folder.file('authz/users.yaml')
    await UsersFile.parse(file, await readFile(file, 'utf8'), new HashPool()) // or it throws
    const { users }: { users: Record<string, unknown> } = parse(await readFile(file, 'utf8'))
    assert.deepEqual(Object.keys(users), Object.keys(USERS))
  })
})

const certificate = async (file: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(file))

describe('the certificates of the setup', () => {
  it('are those that Envoy and its callers verify', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const edge = await certificate(folder.file('envoy/edge.pem'))
    const ca = await certificate(folder.file('envoy/ca.pem'))
    assert.ok(ca.ca)
    assert.ok(ca.verify(ca.publicKey))
    assert.ok(edge.checkIssued(ca))
    assert.ok(edge.verify(ca.publicKey))
    assert.ok(!edge.ca)
    assert.equal(edge.checkHost('api.example.org'), '*.example.org')
    assert.deepEqual(edge.keyUsage, ['1.3.6.1.5.5.7.3.1']) // serverAuth, RFC 5280 §4.2.1.12
    assert.equal(ca.toLegacyObject().subject.CN, 'Countersign demo: edge')
    const upstream = await certificate(folder.file('upstream/upstream.pem'))
    assert.ok(!upstream.checkIssued(ca))
    assert.equal(upstream.checkHost('upstream'), 'upstream')
  })
})

/** A listening upstream. */
const serve = async (folder: TemporaryFolder): Promise<{ readonly port: number } & Disposable> => {
  const server: Server = createUpstream(folder.file('upstream'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not a port')
  return {
    port: address.port,
    [Symbol.dispose]: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const ask = async (folder: TemporaryFolder, client?: KeyPair): Promise<Answer> => {
  using upstream = await serve(folder)
  return await http1(
    {
      port: upstream.port,
      serverName: 'upstream',
      ca: folder.file('envoy/upstream-ca.pem'),
      ...(client === undefined ? {} : { client }),
    },
    {
      path: '/hello',
      headers: [
        ['X-Remote-Group', 'dev'],
        ['X-Remote-Group', 'ops'],
      ],
    },
  )
}

describe('the upstream of docker-compose.yml', () => {
  it('reports the headers that it received', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const { status, body } = await ask(folder, {
      certificate: folder.file('envoy/front-proxy.pem'),
      key: folder.file('envoy/front-proxy.key'),
    })
    assert.equal(status, 200)
    const received: Received = JSON.parse(body)
    assert.equal(received.request, 'GET /hello')
    assert.ok(received.connection > 0)
    assert.deepEqual(
      received.headers.filter((line) => line.startsWith('x-remote-')),
      ['x-remote-group: dev', 'x-remote-group: ops'],
    )
    const proxy = await certificate(folder.file('envoy/front-proxy.pem'))
    assert.deepEqual(received.certificate, {
      subject: 'CN=front-proxy',
      issuer: 'CN=Countersign demo: upstream',
      serialNumber: proxy.serialNumber,
      fingerprint: proxy.fingerprint256,
      subjectAltName: null,
      notBefore: proxy.validFromDate.toISOString(),
      notAfter: proxy.validToDate.toISOString(),
    })
  })

  it('refuses clients without a certificate', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    await assert.rejects(ask(folder)) // how it says so depends on who is first to close
  })

  it('refuses clients with a certificate of another CA', async () => {
    await using folder = await temporaryFolder()
    await setUp(placeIn(folder))
    const edge = {
      certificate: folder.file('envoy/edge.pem'),
      key: folder.file('envoy/edge.key'),
    }
    await assert.rejects(ask(folder, edge))
  })
})
