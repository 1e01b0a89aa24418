// The load generator: what it reads is what was sent, by a server that it shares no code with.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { atDueTimes, preciseNow } from '../../bench/load/due-clock.ts'
import { Http2Connection, type Answer } from '../../bench/load/connection.ts'
import { FLAG, frame, FRAME, prepareRequest } from '../../bench/load/frames.ts'
import { decodeFields, encodeFields } from '../../bench/load/hpack.ts'

const pairs = (block: Buffer): readonly string[] =>
  decodeFields(block).map(({ name, value }) => `${name}: ${value}`)

describe('decodeFields', () => {
  const cases = [
    {
      name: 'an indexed field (RFC 7541 C.2.4)',
      block: '82',
      want: [':method: GET'],
    },
    {
      name: 'a literal with indexing (C.2.1)',
      block: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
      want: ['custom-key: custom-header'],
    },
    {
      name: 'a literal with an indexed name (C.2.2)',
      block: '040c2f73616d706c652f70617468',
      want: [':path: /sample/path'],
    },
    {
      name: 'Huffman codes (C.4.1)',
      block: '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      want: [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    },
    {
      name: 'a size update of the table before a field',
      block: '2088',
      want: [':status: 200'],
    },
  ]
  for (const { name, block, want } of cases) {
    it(`reads ${name}`, () => {
      assert.deepEqual(pairs(Buffer.from(block, 'hex')), want)
    })
  }

  const malformed = [
    { name: 'an entry of the dynamic table', block: 'be' },
    { name: 'index 0', block: '80' },
    { name: 'a string that ends early', block: '000a6375' },
    { name: 'an integer that does not end', block: 'ffffffffffffff' },
    { name: 'padding that is not of ones', block: '00811e00' },
  ]
  for (const { name, block } of malformed) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decodeFields(Buffer.from(block, 'hex')), /HPACK/)
    })
  }

  it('reads what encodeFields wrote, long values too', () => {
    const fields = [
      ['x-short', 'a'],
      ['x-long', 'b'.repeat(70_000)],
    ] as const
    assert.deepEqual(
      pairs(encodeFields(fields)),
      fields.map((field) => field.join(': ')),
    )
  })
})

const portOf = (server: Server): number => {
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const { port }: AddressInfo = address
  return port
}

// The last header of a request.
const AUTHORITY = 'bench.example.org'

const GET = encodeFields([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', AUTHORITY],
])

const call = async (connection: Http2Connection, body?: Buffer): Promise<Answer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  connection.send(prepareRequest(GET, body), (answer) => {
    if (answer instanceof Error) reject(answer)
    else resolve(answer)
  })
  return await promise
}

describe('Http2Connection', () => {
  it('gets the answers of a server of Node, with trailers, whatever the windows are', async () => {
    await using server = createHttp2Server({ settings: { maxConcurrentStreams: 7 } })
    server.on('stream', (stream: ServerHttp2Stream) => {
      const received: Buffer[] = []
      stream.on('data', (chunk: Buffer) => received.push(chunk))
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'x-length': '5' }, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end(Buffer.concat(received))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    using connection = await Http2Connection.open(address.port)
    // More than one connection window (65,535 bytes), and more than seven at a time.
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        call(connection, Buffer.from(`${index} `.repeat(200))),
      ),
    )
    for (const [index, { headers, body, trailers }] of answers.entries()) {
      assert.equal(body.toString(), `${index} `.repeat(200))
      assert.ok(pairs(headers).includes('x-length: 5'))
      assert.ok(trailers !== undefined)
      assert.deepEqual(pairs(trailers), ['grpc-status: 0'])
    }
  })

  /** A server that answers every connection with these bytes, each by itself. */
  const scripted = async (bytes: Buffer): Promise<Server> => {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined)
      socket.setNoDelay()
      socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)))
      let received = ''
      socket.on('data', (chunk: Buffer) => {
        const isWhole = received.includes(AUTHORITY)
        received += chunk.toString('latin1')
        if (isWhole || !received.includes(AUTHORITY)) return
        for (const byte of bytes) socket.write(Buffer.of(byte))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  const OK = encodeFields([[':status', '200']])
  const padded = Buffer.concat([Buffer.of(3), Buffer.from('body'), Buffer.alloc(3)])
  const scripts = [
    {
      name: 'HEADERS with CONTINUATION',
      bytes: [
        frame(FRAME.headers, 0, 1, OK.subarray(0, 4)),
        frame(FRAME.continuation, FLAG.endHeaders, 1, OK.subarray(4)),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('body')),
      ],
      want: 'body',
    },
    {
      name: 'padded DATA in two frames',
      bytes: [
        frame(FRAME.headers, FLAG.endHeaders, 1, OK),
        frame(FRAME.data, FLAG.padded, 1, padded),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('+')),
      ],
      want: 'body+',
    },
    {
      name: 'RST_STREAM',
      bytes: [frame(FRAME.resetStream, 0, 1, Buffer.of(0, 0, 0, 8))],
      want: /reset \(8\)/,
    },
    {
      name: 'GOAWAY',
      bytes: [frame(FRAME.goAway, 0, 0, Buffer.of(0, 0, 0, 0, 0, 0, 0, 11))],
      want: /GOAWAY \(11\)/,
    },
  ]
  for (const { name, bytes, want } of scripts) {
    it(`reads ${name}, byte by byte`, async () => {
      await using server = await scripted(Buffer.concat(bytes))
      using connection = await Http2Connection.open(portOf(server))
      if (typeof want === 'string') {
        assert.equal((await call(connection)).body.toString(), want)
      } else {
        await assert.rejects(call(connection), want)
      }
    })
  }
})

describe('atDueTimes', () => {
  it('sends each request once, in order, and none before it is due', async () => {
    const sent: number[] = []
    await atDueTimes(50, 1_000, (index, due) => {
      assert.ok(preciseNow() >= due)
      sent.push(index)
    })
    assert.deepEqual(
      sent,
      Array.from({ length: 50 }, (_, index) => index),
    )
  })
})
