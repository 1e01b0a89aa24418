// `countersign health` against servers that serve, do not, hang, or are not there.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { Server, ServerCredentials, status, type UntypedHandleCall } from '@grpc/grpc-js'
import { HealthImplementation, type ServingStatus } from 'grpc-health-check'
import { formatAddress } from '../../src/config/values.ts'
import { healthService } from '../../src/proto/load.ts'
import { startGrpcServer, type ListenAddress } from '../../src/runtime/grpc/server.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { countersign } from './run.ts'

const health = (address: string, ...more: readonly string[]) =>
  countersign(['health', '--address', address, ...more])

const serve = (address: ListenAddress) =>
  startGrpcServer({
    address,
    mode: 0o600,
    tls: undefined,
    methods: [],
    grace: 100,
    logger: memoryLogger().logger,
  })

/** A gRPC server on a free port, with its address. */
const grpcServer = async (prepare: (server: Server) => void) => {
  const server = new Server()
  prepare(server)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port)
    else reject(error)
  })
  return {
    address: `127.0.0.1:${await promise}`,
    [Symbol.dispose]: () => server.forceShutdown(),
  }
}

const reporting = (state: ServingStatus) =>
  grpcServer((server) => new HealthImplementation({ '': state }).addToServer(server))

/** A server that takes connections and says nothing. */
const silentServer = async (path: string) => {
  const sockets: Socket[] = []
  const server: NetServer = createServer((socket) => void sockets.push(socket))
  server.listen(path)
  await once(server, 'listening')
  return {
    address: `unix:${path}`,
    [Symbol.dispose]: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

describe('countersign health', { concurrency: true }, () => {
  it('ends with 0 and prints nothing when a service on a UNIX socket is SERVING', async () => {
    await using folder = await temporaryFolder()
    await using server = await serve({ kind: 'unix', path: folder.file('grpc.sock') })
    assert.deepEqual(await health(formatAddress(server.address)), {
      status: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('ends with 1 when the service is NOT_SERVING', async () => {
    using server = await reporting('NOT_SERVING')
    const { status: code, stderr } = await health(server.address)
    assert.equal(code, 1)
    assert.equal(stderr, `countersign: ${server.address} answers, but is NOT_SERVING\n`)
  })

  it('ends with 1 when the server has no health service', async () => {
    using server = await grpcServer(() => undefined)
    const { status: code, stderr } = await health(server.address)
    assert.equal(code, 1)
    assert.match(stderr, /does not answer: .*UNIMPLEMENTED/)
  })

  it('ends with 1 when the health service fails', async () => {
    const broken: UntypedHandleCall = (_call: unknown, reply: (error: object) => void) =>
      reply({ code: status.INTERNAL, details: 'broken' })
    using server = await grpcServer((target) =>
      target.addService(healthService, { Check: broken, Watch: broken }),
    )
    const { status: code, stderr } = await health(server.address)
    assert.equal(code, 1)
    assert.match(stderr, /INTERNAL: broken/)
  })

  it('ends with 1 when no server listens', async () => {
    await using folder = await temporaryFolder()
    const { status: code, stderr } = await health(`unix:${folder.file('none.sock')}`)
    assert.equal(code, 1)
    assert.match(stderr, /^countersign: unix:\/.*none\.sock does not answer: .*UNAVAILABLE/)
  })

  it('ends with 1 when the answer does not arrive in time', async () => {
    await using folder = await temporaryFolder()
    using silent = await silentServer(folder.file('silent.sock'))
    const started = performance.now()
    const { status: code, stderr } = await health(silent.address, '--timeout', '200ms')
    assert.equal(code, 1)
    assert.match(stderr, /does not answer: .*DEADLINE_EXCEEDED/)
    assert.ok(performance.now() - started < 10_000)
  })

  const REFUSED = [
    { name: 'a missing address', args: [], says: /required option '-a, --address <address>'/ },
    {
      name: 'an invalid address',
      args: ['-a', 'authz'],
      says: /must be "unix:PATH" or "HOST:PORT"/,
    },
    {
      name: 'a time without a unit',
      args: ['-a', 'unix:a.sock', '-t', '3'],
      says: /must be a duration/,
    },
  ]
  for (const { name, args, says } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const { status: code, stderr } = await countersign(['health', ...args])
      assert.equal(code, 1)
      assert.match(stderr, says)
    })
  }
})

// By itself: the environment is the whole process's.
describe('COUNTERSIGN_HEALTH_ADDRESS', () => {
  it('names the address, which may be TCP', async () => {
    await using server = await serve({ kind: 'tcp', host: '127.0.0.1', port: 0 })
    process.env['COUNTERSIGN_HEALTH_ADDRESS'] = formatAddress(server.address)
    try {
      assert.equal((await countersign(['health'])).status, 0)
    } finally {
      delete process.env['COUNTERSIGN_HEALTH_ADDRESS']
    }
  })
})
