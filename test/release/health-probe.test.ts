// The health check of the image, against servers that answer, that do not, and that answer something else. test/release/image.test.ts
// has it in containers.
//
// Own process: it runs a compiler.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { healthProbe } from '../../scripts/release/health-probe.ts'
import { formatAddress, type Address } from '../../src/config/values.ts'
import { workerAddress } from '../../src/configuration/workers.ts'
import { findProgram } from '../../src/runtime/child.ts'
import { freePorts } from '../servers/ports.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { unless } from './unless.ts'

const skip = unless(
  process.platform === 'linux' && findProgram('cc') !== undefined,
  'needs a C compiler: apt-get install gcc libc6-dev',
)

/** A message of gRPC without compression. */
const framed = (...message: readonly number[]): Buffer =>
  Buffer.from([0, 0, 0, 0, message.length, ...message])

describe('the health probe of the image', { skip, concurrency: true }, () => {
  let folder: TemporaryFolder

  before(async () => {
    folder = await temporaryFolder()
    const program = await healthProbe(folder.path)
    await writeFile(folder.file('probe'), program)
    await chmod(folder.file('probe'), 0o755)
  })

  after(async () => await folder[Symbol.asyncDispose]())

  const probe = async (...args: readonly string[]) => await probeWith({}, ...args)

  const probeWith = async (env: NodeJS.ProcessEnv, ...args: readonly string[]) => {
    const child = spawn(folder.file('probe'), args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { status, stderr }
  }

  /** The result for a server on a UNIX socket, and on a port where `port` is set. */
  const against = async (server: Server, name: string, host?: string) => {
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
    server.listen(host === undefined ? { path: folder.file(name) } : { host, port: 0 })
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    try {
      return await probe(
        host === undefined
          ? `unix:${folder.file(name)}`
          : `${host.includes(':') ? `[${host}]` : host}:${port}`,
      )
    } finally {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }

  const answering = (answer: (stream: ServerHttp2Stream) => void): Server =>
    createHttp2().on('stream', (stream, headers) => {
      stream.on('error', () => undefined)
      assert.equal(headers[':path'], '/grpc.health.v1.Health/Check')
      assert.equal(headers['content-type'], 'application/grpc')
      answer(stream)
    })

  const answeringWith = (message: Buffer): Server =>
    answering((stream) => {
      stream.respond({ 'content-type': 'application/grpc' })
      stream.end(message)
    })

  for (const host of [undefined, '127.0.0.1', '::1']) {
    it(`exits with 0 when the server on ${host ?? 'a UNIX socket'} is SERVING`, async () => {
      const { status, stderr } = await against(answeringWith(framed(8, 1)), 'serving', host)
      assert.equal(status, 0, stderr)
    })
  }

  it('reads a message that comes in several frames', async () => {
    const parts = answering((stream) => {
      stream.respond({})
      stream.write(framed(8, 1).subarray(0, 3))
      setImmediate(() => stream.end(framed(8, 1).subarray(3)))
    })
    assert.equal((await against(parts, 'parts')).status, 0)
  })

  const REFUSED: readonly (readonly [string, () => Server, RegExp])[] = [
    ['NOT_SERVING', () => answeringWith(framed(8, 2)), /not serving/],
    ['without a status', () => answeringWith(framed()), /not serving/],
    ['longer than a status', () => answeringWith(framed(8, 1, 8, 2)), /not serving/],
    ['compressed', () => answeringWith(Buffer.from([1, 0, 0, 0, 2, 8, 1])), /not serving/],
    [
      'an error of gRPC',
      () => answering((stream) => stream.respond({ 'grpc-status': 12 }, { endStream: true })),
      /not serving/,
    ],
    ['a reset', () => answering((stream) => stream.close(7)), /refused/],
    [
      'HTTP/1.1',
      () => createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /./,
    ],
    ['a closed connection', () => createServer((socket) => socket.destroy()), /connection ended/],
    ['nothing', () => createServer(), /no answer in time/],
  ]
  for (const [index, [what, server, message]] of REFUSED.entries()) {
    it(`exits with 1 when the answer is ${what}`, async () => {
      const { status, stderr } = await against(server(), `refused${index}`)
      assert.equal(status, 1)
      assert.match(stderr, message)
    })
  }

  /** The result for as many workers, by the address of worker 0, of which some are served. */
  const againstWorkers = async (first: Address, count: number, served: readonly number[]) => {
    await using stack = new AsyncDisposableStack()
    for (const index of served) {
      const server = answeringWith(framed(8, 1))
      const address = workerAddress(first, index)
      server.listen(address.kind === 'unix' ? { path: address.path } : address)
      await once(server, 'listening')
      stack.defer(() => void server.close())
    }
    return await probeWith({ COUNTERSIGN_HEALTH_WORKERS: String(count) }, formatAddress(first))
  }

  for (const name of ['authz.sock', 'plain', '.hidden', 'two.dots.sock']) {
    it(`exits with 0 when each worker is SERVING, with ${name} for worker 0`, async () => {
      await mkdir(folder.file(`of.${name}`))
      const first = { kind: 'unix', path: folder.file(`of.${name}/${name}`) } as const
      const { status, stderr } = await againstWorkers(first, 3, [0, 1, 2])
      assert.equal(status, 0, stderr)
    })
  }

  it('exits with 0 when each worker is SERVING on a port of its own, else with 1', async () => {
    const first = { kind: 'tcp', host: '127.0.0.1', port: await freePorts(2) } as const
    const { status, stderr } = await againstWorkers(first, 2, [0, 1])
    assert.equal(status, 0, stderr)
    assert.equal((await againstWorkers(first, 2, [0])).status, 1)
  })

  for (const missing of [0, 1, 2]) {
    it(`exits with 1 when worker ${missing} is missing, and names it`, async () => {
      const first = { kind: 'unix', path: folder.file(`without-${missing}.sock`) } as const
      const served = [0, 1, 2].filter((index) => index !== missing)
      const { status, stderr } = await againstWorkers(first, 3, served)
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`worker ${missing}: cannot connect`))
    })
  }

  for (const workers of ['', '0', '-1', '65', '2x', 'auto', '99999999999999999999']) {
    it(`exits with 1 when the number of workers is "${workers}"`, async () => {
      const env = { COUNTERSIGN_HEALTH_WORKERS: workers }
      const { status, stderr } = await probeWith(env, 'unix:/nowhere')
      assert.equal(status, 1)
      assert.match(stderr, /not a number from 1 to 64/)
    })
  }

  for (const [what, address, message] of [
    ['a worker has no port', '127.0.0.1:65535', /no port/],
    ['the address is very long', `unix:/${'a'.repeat(400)}`, /too long/],
  ] as const) {
    it(`exits with 1 when there are several and ${what}`, async () => {
      const { status, stderr } = await probeWith({ COUNTERSIGN_HEALTH_WORKERS: '2' }, address)
      assert.equal(status, 1)
      assert.match(stderr, message)
    })
  }

  for (const [what, args, message] of [
    ['there is no address', [], /is not set/],
    ['there is no socket', ['unix:/nowhere'], /cannot connect/],
    ['the path is too long', [`unix:/${'a'.repeat(200)}`], /too long/],
    ['the address is something else', ['nowhere'], /neither/],
  ] as const) {
    it(`exits with 1 when ${what}`, async () => {
      const { status, stderr } = await probe(...args)
      assert.equal(status, 1)
      assert.match(stderr, message)
    })
  }
})
