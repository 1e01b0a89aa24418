// How calls are counted: each call once, by the status that its client got, whichever server took it.

import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { frame } from '../../../src/runtime/grpc/framing.ts'
import { GRPC_SERVERS } from '../../../src/runtime/grpc/grpc-server.ts'
import { GrpcStatistics } from '../../../src/runtime/grpc/statistics.ts'
import { connectHttp2, openRaw } from '../../fakes/grpc-stream.ts'
import { until } from '../../fakes/until.ts'
import { METHOD, startTestServer, type TestHandler, type TestServer } from './conformance-server.ts'

const HELLO = Buffer.from('hello')

const echo: TestHandler = (message) => Buffer.from(message)

/** The counts that are not 0, by service, method and code. */
const countsOf = (statistics: GrpcStatistics): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...statistics.metric.read()].flatMap(({ labels, value }) =>
      typeof value === 'number' && value > 0 ? [[Object.values(labels).join(' '), value]] : [],
    ),
  )

const raw = async (
  { path }: TestServer,
  fields: Readonly<Record<string, string>>,
): Promise<void> => {
  const session = connectHttp2(path)
  const stream = openRaw(session, { ':path': METHOD, ...fields })
  stream.resume().end(frame(HELLO))
  await once(stream, 'close')
  session.destroy()
}

const CASES: readonly {
  readonly name: string
  readonly handle?: TestHandler
  readonly act: (server: TestServer) => Promise<unknown>
  readonly want: Readonly<Record<string, number>>
}[] = [
  {
    name: 'OK for each answer',
    act: ({ client }) => Promise.all([client.call(HELLO), client.call(HELLO), client.call(HELLO)]),
    want: { 'test.Test Call OK': 3 },
  },
  {
    name: 'OK for an answer that comes later',
    handle: async (message) => Buffer.from(message),
    act: ({ client }) => client.call(HELLO, { timeout: 60_000 }),
    want: { 'test.Test Call OK': 1 },
  },
  {
    name: 'Internal for a handler that throws',
    handle: () => {
      throw new Error('a fault')
    },
    act: ({ client }) => client.call(HELLO),
    want: { 'test.Test Call Internal': 1 },
  },
  {
    name: 'ResourceExhausted for a message that is too long',
    act: ({ client }) => client.call(Buffer.alloc(1_048_577)),
    want: { 'test.Test Call ResourceExhausted': 1 },
  },
  {
    name: 'DeadlineExceeded where no answer comes in time',
    handle: () => new Promise(() => {}),
    act: (running) => raw(running, { 'grpc-timeout': '300m' }), // a client of grpc-js would cancel then
    want: { 'test.Test Call DeadlineExceeded': 1 },
  },
]

for (const server of GRPC_SERVERS) {
  describe(`the server ${server} counts`, { timeout: 60_000 }, () => {
    for (const { name, handle = echo, act, want } of CASES) {
      it(name, async () => {
        const statistics = new GrpcStatistics()
        await using running = await startTestServer(server, handle, { statistics })
        await act(running)
        await until(() => Object.keys(countsOf(statistics)).length > 0)
        await running.stop()
        assert.deepEqual(countsOf(statistics), want)
      })
    }

    it('Canceled once for a call whose client goes away, also when it is answered later', async () => {
      const statistics = new GrpcStatistics()
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      let calls = 0
      const handle = (): Promise<Uint8Array> => {
        calls += 1
        return promise
      }
      await using running = await startTestServer(server, handle, { statistics })
      const { ended, cancel } = running.client.start(HELLO)
      await until(() => calls === 1)
      cancel()
      assert.equal((await ended).code, status.CANCELLED)
      await until(() => Object.keys(countsOf(statistics)).length > 0)
      resolve(HELLO)
      await running.stop()
      assert.deepEqual(countsOf(statistics), { 'test.Test Call Canceled': 1 })
    })

    it('health checks, by their own method', async () => {
      const statistics = new GrpcStatistics()
      await using running = await startTestServer(server, echo, { statistics })
      const path = '/grpc.health.v1.Health/Check'
      await running.client.call(Buffer.alloc(0), { path })
      await running.client.call(Buffer.from('\n\u0005other'), { path })
      await until(() => Object.keys(countsOf(statistics)).length === 2)
      assert.deepEqual(countsOf(statistics), {
        'grpc.health.v1.Health Check OK': 1,
        'grpc.health.v1.Health Check NotFound': 1,
      })
    })

    it('begin each method with a series of OK at 0', async () => {
      const statistics = new GrpcStatistics()
      await using running = await startTestServer(server, echo, { statistics })
      assert.equal(running.log.length, 0)
      const series = [...statistics.metric.read()].map(({ labels, value }) => [
        labels['grpc_method'],
        labels['grpc_code'],
        value,
      ])
      assert.deepEqual(series, [
        ['Call', 'OK', 0],
        ['Check', 'OK', 0],
        ['Watch', 'OK', 0],
      ])
    })
  })
}

describe('the built-in server counts', () => {
  it('all methods that it does not have in one series', async () => {
    const statistics = new GrpcStatistics()
    await using running = await startTestServer('built-in', echo, { statistics })
    await running.client.call(HELLO, { path: '/test.Test/Other' })
    await running.client.call(HELLO, { path: '/chosen.By/TheClient' })
    assert.deepEqual(countsOf(statistics), { 'unknown unknown Unimplemented': 2 })
  })

  it('Internal for a malformed deadline', async () => {
    const statistics = new GrpcStatistics()
    await using running = await startTestServer('built-in', echo, { statistics })
    await raw(running, { 'grpc-timeout': 'soon' })
    assert.deepEqual(countsOf(statistics), { 'test.Test Call Internal': 1 })
  })
})
