// A connection that Envoy refuses leaves exactly one line, with the reason and what was presented; no other leaves one.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { connect as connectPlain, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { parse, stringify } from 'yaml'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { connectionLog } from '../../src/envoy/refusal-log.ts'
import type { JsonObject } from '../../src/runtime/json-object.ts'
import { encodeName } from '../../src/x509/name.ts'
import { ATTRIBUTES } from '../../src/x509/oid.ts'
import { DAY, makeAuthority, makeClient, pemOf, type Made } from '../pki/making.ts'
import { http1, type HeaderLine } from '../servers/client.ts'
import { skipWithoutEnvoy, startEnvoy } from '../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { configOf, HOST, routesOf, startEdge, type Edge } from './edge.ts'
import { lineOf } from './refusal-lines.ts'

const skip = skipWithoutEnvoy()

const now = Math.floor(Date.now() / 1_000)
const validity = { notBefore: now - DAY, notAfter: now + DAY }
const trusted = makeAuthority({ subject: 'trusted CA', ...validity })
const foreign = makeAuthority({ subject: 'foreign CA', ...validity })

const keyPairOf = (made: Made): { readonly cert: string; readonly key: string } => ({
  cert: pemOf(made),
  key: made.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
})

/** As the caller of the edge, with other settings; ends when the connection does. */
const handshake = async (port: number, options: ConnectionOptions): Promise<void> => {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername: HOST,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  })
  socket.on('secureConnect', () => socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`))
  await closed(socket)
}

const plain = async (port: number, text: string): Promise<void> => {
  const socket = connectPlain(port, '127.0.0.1', () => socket.write(text))
  await closed(socket)
}

/** Until the connection has ended; how does not matter. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {})
    socket.resume()
    socket.once('close', () => resolve())
  })

describe('a connection that Envoy refuses', { skip }, () => {
  let edge: Edge
  let folder: TemporaryFolder
  before(async () => {
    folder = await temporaryFolder()
    await writeFile(folder.file('ca.pem'), pemOf(trusted))
    edge = await startEdge({ listener: { clientCa: folder.file('ca.pem') } })
  })
  after(async () => {
    await edge[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  const refusalOf = async (cause: (port: number) => Promise<void>): Promise<JsonObject> => {
    const port = await edge.envoy.port()
    return await lineOf(
      () => edge.refusals(),
      () => cause(port),
    )
  }

  const old = makeClient({ subject: 'old', signer: trusted, notBefore: 1, notAfter: now - DAY })
  const alien = makeClient({ subject: 'alien', signer: foreign, ...validity })
  const CERTIFICATES = [
    { name: 'has expired', made: old, issuer: 'CN=trusted CA', reason: /certificate_has_expired/ },
    {
      name: 'is of an unknown CA',
      made: alien,
      issuer: 'CN=foreign CA',
      reason: /unable_to_get_local_issuer_certificate/,
    },
  ]
  for (const { name, made, issuer, reason } of CERTIFICATES) {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      it(`leaves the reason and the certificate where that ${name} (${maxVersion})`, async () => {
        const line = await refusalOf((port) => handshake(port, { ...keyPairOf(made), maxVersion }))
        assert.equal(line['event'], 'connection-refused')
        assert.match(String(line['reason']), reason)
        const certificate = new X509Certificate(made.der)
        const { subject, serial, fingerprint, source } = line
        assert.deepEqual(
          { subject, issuer: line['issuer'], serial, fingerprint, source },
          {
            subject: certificate.subject,
            issuer,
            serial: certificate.serialNumber.toLowerCase(),
            fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
            source: '127.0.0.1',
          },
        )
      })
    }
  }

  it('leaves the reason where the version of TLS is too old', async () => {
    const line = await refusalOf((port) =>
      handshake(port, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    )
    assert.match(String(line['reason']), /UNSUPPORTED_PROTOCOL/)
  })

  it('leaves the reason where it speaks HTTP without TLS', async () => {
    const line = await refusalOf((port) => plain(port, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`))
    assert.match(String(line['reason']), /HTTP_REQUEST/)
  })

  it('leaves the reason where it speaks nothing that is known', async () => {
    const line = await refusalOf((port) => plain(port, '\u0016\u0003\u0001\u0000\u0005hello'))
    assert.match(String(line['reason']), /^TLS_error/)
  })

  it('leaves a line of at most 2 KB whatever the certificate holds', async () => {
    const long = encodeName(
      Array.from({ length: 300 }, () => ({ oid: ATTRIBUTES.CN ?? '', value: '"\\'.repeat(30) })),
    )
    const authority = makeAuthority({ subject: long, ...validity })
    const made = makeClient({ subject: long, signer: authority, ...validity })
    const line = await refusalOf((port) => handshake(port, keyPairOf(made)))
    assert.equal(String(line['subject']).length, 256)
    assert.equal(String(line['issuer']).length, 256)
  })

  it('is all that leaves a line: a good certificate, none, and a caller who leaves do not', async () => {
    const good = makeClient({ subject: 'alice', signer: trusted, ...validity })
    const port = await edge.envoy.port()
    const { length: known } = await edge.refusals()
    const closing = { headers: [['Connection', 'close']] as readonly HeaderLine[] }
    await writeFile(folder.file('alice.pem'), keyPairOf(good).cert)
    await writeFile(folder.file('alice.key'), keyPairOf(good).key)
    const client = { certificate: folder.file('alice.pem'), key: folder.file('alice.key') }
    assert.equal((await http1({ ...edge.target, client }, closing)).status, 200)
    assert.equal((await http1(edge.target, closing)).status, 200)
    const leaving = connectPlain(port, '127.0.0.1', () => leaving.destroy())
    await once(leaving, 'close')
    // What is refused afterwards comes after it in the file.
    await refusalOf((to) => plain(to, 'GET / HTTP/1.1\r\n\r\n'))
    assert.equal((await edge.refusals()).length, known + 1)
  })
})

describe('a connection that a gateway of Istio refuses', { skip }, () => {
  it('leaves a line where it shows no certificate, and where no host has its server name', async () => {
    await using folder = await temporaryFolder()
    await using edge = await startEdge()
    const file = folder.file('gateway.jsonl')
    const config = configOf(folder.path, {
      routes: routesOf([{ name: 'app', match: { hosts: [HOST] } }]),
      envoy: {
        listener: { address: '127.0.0.1:0', ...edge.pki.edge, clientCa: edge.pki.ca },
        admin: 'unix:admin.sock',
        upstreams: { app: { address: '127.0.0.1:1', ca: edge.pki.ca } },
      },
    })
    const bootstrap = parse(renderBootstrap(config))
    const [listener] = bootstrap.static_resources.listeners
    const [chain] = listener.filter_chains
    chain.filter_chain_match = { server_names: [HOST] }
    chain.transport_socket.typed_config.require_client_certificate = true
    listener.listener_filters = [
      {
        name: 'envoy.filters.listener.tls_inspector',
        typed_config: {
          '@type':
            'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
        },
      },
    ]
    listener.access_log = connectionLog({ file }, 'cel')
    await using envoy = await startEnvoy({ bootstrap: stringify(bootstrap) })
    const port = await envoy.port()
    const refusals = async (): Promise<readonly JsonObject[]> => {
      await envoy.admin('/reopen_logs', 'POST')
      const text = await readFile(file, 'utf8')
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
    }
    const bare = await lineOf(refusals, () => handshake(port, {}))
    assert.match(String(bare['reason']), /PEER_DID_NOT_RETURN_A_CERTIFICATE/)
    assert.equal(bare['serverName'], HOST)
    const servername = 'other.example.net'
    const unknown = await lineOf(refusals, () => handshake(port, { servername }))
    assert.equal(unknown['detail'], 'filter_chain_not_found')
    assert.equal(unknown['serverName'], servername)
    const long = await lineOf(refusals, () =>
      handshake(port, { servername: `${'x'.repeat(60)}.`.repeat(4) + 'net' }),
    )
    assert.equal(String(long['serverName']).length, 100)
  })
})
