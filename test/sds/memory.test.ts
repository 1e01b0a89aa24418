// What an open stream costs, of which the signer has one for each identity that Envoy serves.
//
// Slow: it fills and measures the memory of a server.

import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { secretDiscoveryService } from '../../src/proto/load.ts'
import { frame } from '../../src/runtime/grpc/framing.ts'
import { connectHttp2, openRaw } from '../fakes/grpc-stream.ts'
import { SECRET_TYPE } from '../fakes/sds-client.ts'
import { temporaryFolder } from '../servers/temporary.ts'

// So many that what the allocator keeps in reserve, up to 50 MB, is little for each.
const STREAMS = 4_000

// Bytes for each stream: what is resident, and of that the objects that are alive. As measured:
// 13,000 to 23,000, and 4,700. (A server that kept each stream's first message would use 100,000.)
const MOST_RESIDENT = 40_000
const MOST_ALIVE = 7_000
const MOST_LEFT = 500

const { path: method, requestSerialize } = secretDiscoveryService.DeltaSecrets

// Node.extensions (field 9), which Envoy 1.40 fills with 61 KB on every stream, in front of what it
// asks. Two messages of one type, one after the other, are one message to protobuf.
const introduction = (() => {
  const node = Buffer.concat(
    Array.from({ length: 700 }, () =>
      Buffer.concat([Buffer.from([0x4a, 85]), Buffer.alloc(85, 0x0a)]),
    ),
  )
  const length = [
    (node.length & 0x7f) | 0x80,
    ((node.length >> 7) & 0x7f) | 0x80,
    node.length >> 14,
  ]
  return Buffer.concat([Buffer.from([0x0a, ...length]), node])
})()

const send = (stream: ClientHttp2Stream, message: Buffer): void => {
  stream.write(frame(message))
}

/** Opens a stream, and acknowledges what is sent on it. */
const openStream = async (session: ClientHttp2Session, index: number): Promise<void> => {
  const stream = openRaw(session, { ':path': method })
  const name = `${index}`.padStart(10, '0').padEnd(400, 'x')
  const request = requestSerialize({ type_url: SECRET_TYPE, resource_names_subscribe: [name] })
  send(stream, Buffer.concat([introduction, request]))
  await once(stream, 'data')
  send(stream, requestSerialize({ type_url: SECRET_TYPE, response_nonce: '1' }))
  stream.resume()
}

/** A connection with streams on it. */
const openStreams = async (path: string, count: number): Promise<ClientHttp2Session> => {
  const session = connectHttp2(path)
  for (let at = 0; at < count; at += 100) {
    const wave = Array.from({ length: 100 }, (_, index) => openStream(session, at + index))
    await Promise.all(wave)
  }
  return session
}

const measured = z.object({
  streams: z.number(),
  names: z.number(),
  rss: z.number(),
  live: z.number(),
})

// Streams are taken apart in later turns of the event loop.
const SETTLE_MS = 500
const ATTEMPTS = 20

const ask = async (server: ChildProcess) => {
  await sleep(SETTLE_MS)
  const answer = once(server, 'message')
  server.send('measure')
  return measured.parse((await answer)[0])
}

/** The memory of the server, as soon as it has so many streams. */
const measure = async (server: ChildProcess, streams: number) => {
  let memory = await ask(server)
  for (let attempt = 1; memory.streams !== streams && attempt < ATTEMPTS; attempt++) {
    memory = await ask(server)
  }
  assert.deepEqual([memory.streams, memory.names], [streams, streams])
  return memory
}

/** Bytes for each stream that remain; a loaded machine takes its time to take streams apart. */
const leftOver = async (server: ChildProcess, before: number): Promise<number> => {
  for (let attempt = 1; ; attempt++) {
    const { live } = await measure(server, 0)
    const left = (live - before) / STREAMS
    if (left < MOST_LEFT || attempt === ATTEMPTS) return left
  }
}

test(
  'an open stream costs little, and nothing when it is over',
  { timeout: 300_000 },
  async (t) => {
    await using folder = await temporaryFolder()
    const path = folder.file('sds.sock')
    const file = fileURLToPath(import.meta.resolve('./memory-server.ts'))
    const server = fork(file, [path], { execArgv: ['--expose-gc'] })
    try {
      await once(server, 'message')
      // The same names, whose certificates are kept for when they are requested again.
      const warmUp = await openStreams(path, STREAMS)
      warmUp.destroy()
      const before = await measure(server, 0)
      const session = await openStreams(path, STREAMS)
      const open = await measure(server, STREAMS)
      session.destroy()
      const resident = (open.rss - before.rss) / STREAMS
      const alive = (open.live - before.live) / STREAMS
      const left = await leftOver(server, before.live)
      t.diagnostic(`bytes for each stream: ${resident} resident, ${alive} alive, ${left} left`)
      assert.ok(resident < MOST_RESIDENT, `${resident} bytes resident`)
      assert.ok(alive < MOST_ALIVE, `${alive} bytes alive`)
      assert.ok(left < MOST_LEFT, `${left} bytes left`)
    } finally {
      server.disconnect()
    }
  },
)
