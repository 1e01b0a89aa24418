import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createSecureServer, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { openHttp2, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
}

interface Http2Upstream extends AsyncDisposable {
  readonly port: number
  /** Of every request, oldest first. */
  readonly received: readonly Received[]
}

/** An upstream that speaks HTTP/2, and keeps what it got before and behind the body. */
const startHttp2Upstream = async (pki: Pki): Promise<Http2Upstream> => {
  const received: Received[] = []
  const server = createSecureServer({
    cert: await readFile(pki.upstream.certificate),
    key: await readFile(pki.upstream.key),
  })
  server.on('stream', (stream, headers) => {
    let trailers: IncomingHttpHeaders = {}
    stream.on('trailers', (fields) => (trailers = fields))
    stream.on('error', () => undefined)
    stream.on('end', () => {
      received.push({ headers, trailers })
      stream.respond({ ':status': 200 })
      stream.end()
    })
    stream.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server it is one
  const { port } = server.address() as AddressInfo
  return {
    port,
    received,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const FORGED: readonly HeaderLine[] = [
  ['x-remote-user', 'admin'],
  ['x-remote-group', 'system:masters'],
  ['x-remote-extra-admin', 'yes'],
  ['x.remote!group', 'system:masters'],
  ['impersonate-user', 'admin'],
  ['impersonate~group', 'system:masters'],
  ['authorization', 'Basic cm9vdDpyb290'],
  ['x-webauth-user', 'admin'],
  ['x-countersign-decision', 'forged'],
  ['client-cert', ':MII=:'],
  ['client*cert', ':MII=:'],
  ['x-forwarded-for', '192.0.2.1'],
  ['x-envoy-external-address', '192.0.2.1'],
  ['x-http-method-override', 'DELETE'],
  ['x-app-user', 'admin'], // "set" of another route
  ['x.app.user', 'admin'],
]

const HARMLESS: readonly HeaderLine[] = [
  ['x-checksum', 'abc'],
  ['x.check!sum', 'abc'],
  ['server-timing', 'a;dur=1'],
]

describe(
  'request trailers to an HTTP/2 upstream, through Envoy',
  { skip: skipWithoutEnvoy() },
  () => {
    const stack = new AsyncDisposableStack()
    let site: Site
    let upstream: Http2Upstream
    before(async () => {
      const pki = stack.use(await createPki())
      upstream = stack.use(await startHttp2Upstream(pki))
      site = stack.use(
        await startSite({
          upstream: { address: `127.0.0.1:${upstream.port}`, ca: pki.ca, protocol: 'http2' },
          routes: [
            {
              name: 'other',
              match: { hosts: ['other.example.org'] },
              forward: { set: { 'x-app-user': 'identity.user' } },
            },
          ],
        }),
      )
    })
    after(() => stack.disposeAsync())

    /** Sends a body with trailers, and yields what the upstream got. */
    const send = async (trailers: readonly HeaderLine[]): Promise<Received> => {
      const session = await openHttp2(site.target)
      try {
        const stream = session.request(
          {
            ':method': 'POST',
            ':path': '/',
            ':authority': HOST,
            authorization: ALICE[1],
            trailer: 'X-Remote-User, X-Checksum',
          },
          { waitForTrailers: true },
        )
        stream.on('wantTrailers', () => stream.sendTrailers(Object.fromEntries(trailers)))
        const status = new Promise((resolve, reject) => {
          stream.once('response', (headers) => resolve(headers[':status']))
          stream.once('error', reject)
        })
        stream.end('body')
        await text(stream)
        assert.equal(await status, 200)
      } finally {
        session.destroy()
      }
      const received = upstream.received.at(-1)
      assert.ok(received)
      return received
    }

    it('contain no identity header, in any spelling', async () => {
      const { headers, trailers } = await send([...FORGED, ...HARMLESS])
      assert.equal(headers['x-remote-user'], 'alice')
      assert.deepEqual(Object.entries(trailers), HARMLESS)
    })

    it('are not announced to the upstream', async () => {
      const { headers } = await send(HARMLESS)
      assert.equal(headers['trailer'], undefined)
    })
  },
)
