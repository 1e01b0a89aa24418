// The server against Node's HTTP/2 client, which encodes what is random, and against conversations that
// were changed at random: it decodes the same, and whatever comes, it neither fails nor holds on to anything.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { Seeded } from '../../fakes/seeded.ts'
import { until } from '../../fakes/until.ts'
import { startHelloServer, type HelloServer } from './hello-server.ts'

const LIMIT = { timeout: 120_000 }
const REQUESTS = 300
const MUTATIONS = 750

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'
const VALUES = 'abcXYZ0189 ,;=/"%{}~^<>@[]\\'

const text = (random: Seeded, letters: string, longest: number): string =>
  Array.from({ length: 1 + random.below(longest) }, () =>
    letters.charAt(random.below(letters.length)),
  ).join('')

// Repeated names and values, so that the tables of both sides are used and evict.
const randomHeaders = (random: Seeded, names: [string, ...string[]]): OutgoingHttpHeaders => {
  const headers: OutgoingHttpHeaders = {
    ':method': random.pick(['GET', 'POST', 'PUT', 'PATCH']),
    ':path': `/${text(random, LETTERS, 40)}`,
    ':authority': `${random.below(3)}.example.org`,
  }
  for (let more = random.below(12); more > 0; more--) {
    headers[random.pick(names)] = text(random, VALUES, random.chance(0.1) ? 400 : 30).trim()
  }
  return headers
}

const startRecorder = async (server: HelloServer) => {
  const sent: Buffer[] = []
  const relay = createServer((client: Socket) => {
    const upstream = connectSocket(server.port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => {
      sent.push(chunk)
      upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => void client.write(chunk))
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => {})
      from.once('close', () => to.destroy())
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const address = relay.address()
  assert.ok(address !== null && typeof address === 'object')
  return { relay, port: address.port, sent }
}

describe('the server decodes what Node encodes', LIMIT, () => {
  for (const [seed, headerTableSize] of [
    [1, 4_096],
    [2, 0],
    [3, 100],
  ] as const) {
    it(`in a table of ${headerTableSize} octets`, async () => {
      const random = new Seeded(seed)
      await using server = await startHelloServer({
        headerTableSize,
        maxHeaderListSize: 65_536,
        maxHeaderBlockBytes: 65_536,
      })
      const session = connect(`http://127.0.0.1:${server.port}`)
      await once(session, 'remoteSettings')
      const names = Array.from({ length: 30 }, () => `x-${text(random, LETTERS, 20)}`)
      for (let index = 0; index < REQUESTS; index++) {
        const headers = randomHeaders(random, ['x-first', ...names])
        const content = Buffer.alloc(random.chance(0.2) ? random.below(40_000) : 0, 'x')
        const stream = session.request(headers, { endStream: false })
        stream.end(content)
        const answer = await buffer(stream)
        assert.equal(answer.length, content.length || 13)
        const head = server.heads.at(-1)
        assert.ok(head !== undefined)
        const { ':method': method, ':path': path, ':authority': authority, ...rest } = headers
        assert.deepEqual(
          { method: head.method, path: head.path, authority: head.authority },
          { method, path, authority },
        )
        assert.deepEqual(
          Object.fromEntries(head.fields.map(({ name, value }) => [name, value])),
          Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value])),
        )
      }
      session.destroy()
    })
  }
})

/** The conversation with some bytes changed, left out, doubled or cut off. */
const mutated = (random: Seeded, conversation: Buffer): Buffer => {
  const changed = Buffer.from(conversation)
  for (let change = 1 + random.below(6); change > 0; change--) {
    const at = 24 + random.below(changed.length - 24)
    if (random.chance(0.7)) changed[at] = random.below(256)
    else changed.copy(changed, at, at + random.below(20))
  }
  const end = random.chance(0.2) ? 24 + random.below(changed.length - 24) : changed.length
  return changed.subarray(0, end)
}

describe('the server withstands', LIMIT, () => {
  it(`${MUTATIONS} conversations that were changed at random, in pieces of any size`, async () => {
    const random = new Seeded(9_113)
    await using server = await startHelloServer({ lingerTime: 50, maxConnections: 1_000 })
    const { relay, port, sent } = await startRecorder(server)
    const session = connect(`http://127.0.0.1:${port}`)
    for (let index = 0; index < 12; index++) {
      const stream = session.request(randomHeaders(random, ['x-a', 'x-b', 'x-c']), {
        endStream: false,
      })
      stream.end(Buffer.alloc(random.below(300)))
      await buffer(stream)
    }
    session.destroy()
    relay.close()
    const conversation = Buffer.concat(sent)
    const attack = async (): Promise<void> => {
      const socket = connectSocket(server.port, '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      socket.resume()
      const bytes = mutated(random, conversation)
      for (let at = 0; at < bytes.length && !socket.destroyed;) {
        const length = random.chance(0.5) ? bytes.length : 1 + random.below(60)
        socket.write(bytes.subarray(at, at + length))
        at += length
        if (random.chance(0.3)) await new Promise(setImmediate)
      }
      socket.end()
      if (!socket.destroyed) await once(socket, 'close').catch(() => {})
    }
    for (let round = 0; round < MUTATIONS / 50; round++) {
      await Promise.all(Array.from({ length: 50 }, attack))
    }
    await until(() => server.open.size === 0)
    const faults = server.log.filter((line) => /TypeError|RangeError|"level":50/.test(line))
    assert.deepEqual(faults, [])
    const ended = server.log.filter((line) => line.includes('connection closed'))
    assert.ok(ended.length > MUTATIONS / 10, `${ended.length} ended with an error`)
    const survivor = connect(`http://127.0.0.1:${server.port}`)
    assert.equal((await buffer(survivor.request({ ':path': '/' }))).length, 13)
    survivor.destroy()
  })
})
