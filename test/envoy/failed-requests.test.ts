// A request that Envoy refuses by itself leaves exactly one line, with the reason; no other leaves one.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { JsonObject } from '../../src/runtime/json-object.ts'
import { eventually } from '../e2e/site.ts'
import { http1, type HeaderLine } from '../servers/client.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { sendRaw } from '../servers/raw-client.ts'
import { sendRawHttp2 } from '../servers/raw-http2.ts'
import { ALLOW } from '../servers/scripted-authz.ts'
import { HOST, startEdge, type Edge } from './edge.ts'
import { lineOf } from './refusal-lines.ts'

const skip = skipWithoutEnvoy()
const DECISION = '11111111-2222-4333-8444-555555555555'

/** The line without what differs each time. */
const stable = ({ time, request: _request, ...rest }: JsonObject): JsonObject => {
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  return rest
}

/** A request over HTTP/1.1, and its outcome. */
interface Fault {
  readonly name: string
  /** Default: GET of the path. */
  readonly line?: string
  readonly path?: string
  readonly headers?: readonly HeaderLine[]
  readonly connection?: string
  /** Default: 400. */
  readonly status?: number
  readonly reason: string
}

describe('a request that Envoy refuses or fails by itself', { skip }, () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({
      routes: [
        { name: 'app', match: { hosts: [HOST] } },
        { name: 'away', match: { hosts: ['away.example.org'] } },
        { name: 'impostor', match: { hosts: ['impostor.example.org'] } },
      ],
      envoy: { authzTimeout: '1s' },
      further: ({ upstream, pki }) => ({
        away: { address: '127.0.0.1:1', ca: pki.ca },
        impostor: { address: `127.0.0.1:${upstream.port}`, ca: pki.ca, serverName: 'other.test' },
      }),
    })
    edge.authz.answer = { ...ALLOW, responseHeaders: [['x-countersign-decision', DECISION]] }
  })
  after(() => edge[Symbol.asyncDispose]())

  const refusalOf = (cause: () => Promise<unknown>): Promise<JsonObject> =>
    lineOf(() => edge.refusals(), cause)
  const send = (line: string, headers: readonly HeaderLine[] = [['Host', HOST]]) =>
    sendRaw(edge.target, { line, headers: [...headers, ['Connection', 'close']] })

  const many = Array.from({ length: 120 }, (_, index): HeaderLine => [`x-${index}`, '1'])
  const HTTP1: readonly Fault[] = [
    { name: 'an encoded slash', path: '/a%2fb?key=secret', reason: 'path_normalization_failed' },
    { name: 'no host', headers: [], reason: 'missing_host_header' },
    { name: 'no method', line: 'hello', status: 400, reason: 'http1.codec_error' },
    { name: 'HTTP/1.0', line: 'GET / HTTP/1.0', status: 426, reason: 'low_version' },
    {
      name: 'an underscore in a header name',
      headers: [
        ['Host', HOST],
        ['x_user', 'root'],
      ],
      reason: 'http1.unexpected_underscore',
    },
    {
      name: 'too many headers',
      headers: [['Host', HOST], ...many],
      status: 431,
      reason: 'http1.too_many_headers',
    },
    {
      name: 'headers that are too large',
      headers: [
        ['Host', HOST],
        ['x-large', 'x'.repeat(70_000)],
      ],
      status: 431,
      reason: 'http1.headers_too_large',
    },
    {
      name: 'two lengths of the body',
      line: 'POST / HTTP/1.1',
      headers: [
        ['Host', HOST],
        ['Content-Length', '1'],
        ['Transfer-Encoding', 'chunked'],
      ],
      reason: 'http1.content_length_and_chunked_not_allowed',
    },
    {
      name: 'an upgrade that is not allowed',
      headers: [
        ['Host', HOST],
        ['Upgrade', 'other'],
      ],
      connection: 'Upgrade',
      status: 403,
      reason: 'upgrade_failed',
    },
    { name: 'CONNECT', line: 'CONNECT other:443 HTTP/1.1', status: 404, reason: 'route_not_found' },
  ]
  for (const fault of HTTP1) {
    it(`leaves the reason for ${fault.name}`, async () => {
      const { status = 400, headers = [['Host', HOST]], connection = 'close' } = fault
      const { path = '/', line = `GET ${path} HTTP/1.1` } = fault
      const found = await refusalOf(async () => {
        const answer = await sendRaw(edge.target, {
          line,
          headers: [...headers, ['Connection', connection]],
        })
        assert.equal(answer.status, status)
      })
      assert.equal(found['event'], 'request-failed')
      assert.equal(found['reason'], fault.reason)
      assert.equal(found['status'], status)
      assert.equal(found['source'], '127.0.0.1')
      assert.equal(found['decision'], undefined)
      assert.ok(!JSON.stringify(found).includes('secret'))
    })
  }

  it('leaves the reason for an HTTP/2 request that is malformed', async () => {
    const line = await refusalOf(() =>
      sendRawHttp2(edge.target, [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/'],
        [':authority', HOST],
        ['connection', 'x-user'],
      ]),
    )
    assert.equal(line['reason'], 'http2.invalid.header.field')
  })

  it('leaves the reason and the decision where the upstream cannot be reached', async () => {
    const line = await refusalOf(() =>
      send('GET /orders?key=secret HTTP/1.1', [['Host', 'away.example.org']]),
    )
    assert.match(String(line['reason']), /^upstream_reset_before_response_started\{.*refused\}$/)
    assert.deepEqual(
      { ...stable(line), reason: '' },
      {
        decision: DECISION,
        event: 'request-failed',
        flags: 'URX,UF',
        host: 'away.example.org',
        log: 'envoy',
        method: 'GET',
        path: '/orders',
        reason: '',
        route: 'away',
        source: '127.0.0.1',
        status: 503,
        upstream: 'away',
      },
    )
  })

  it('leaves the reason where the upstream shows the certificate of another', async () => {
    const line = await refusalOf(() => send('GET / HTTP/1.1', [['Host', 'impostor.example.org']]))
    assert.match(String(line['reason']), /CERTIFICATE_VERIFY_FAILED/)
    assert.equal(line['decision'], DECISION)
  })

  it('leaves a line of at most 2 KB, and of the path 256 characters', async () => {
    const { answer } = edge.authz
    edge.authz.answer = 'silence'
    const path = `/${'"'.repeat(20_000)}?key=secret`
    const line = await refusalOf(() =>
      send(`GET ${path} HTTP/1.1`, [
        ['Host', HOST],
        ['X-Request-Id', 'x'.repeat(5_000)],
        ['Authorization', 'Bearer secret'],
      ]),
    )
    edge.authz.answer = answer
    assert.equal(String(line['path']).length, 256)
    assert.ok(!JSON.stringify(line).includes('secret'))
  })

  it('leaves none where authz refused, the upstream answered, or the caller left', async () => {
    const { length: known } = await edge.refusals()
    const { answer } = edge.authz
    assert.equal((await send('GET / HTTP/1.1')).status, 200)
    edge.authz.answer = {
      allow: false,
      grpcStatus: 7,
      httpStatus: 403,
      headers: [['x-countersign-decision', DECISION]],
      body: '',
    }
    assert.equal((await send('GET / HTTP/1.1')).status, 403)
    edge.authz.answer = 'silence'
    const { length: checks } = edge.authz.checks
    const socket = connectTls({ ...(await leaving(edge)) }, () =>
      socket.write(`GET /leaving HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`),
    )
    await eventually(
      () => Promise.resolve(edge.authz.checks.length),
      (count) => count > checks,
    )
    socket.destroy()
    edge.authz.answer = answer
    await refusalOf(() => send('GET / HTTP/1.0'))
    assert.equal((await edge.refusals()).length, known + 1)
  })

  it('leaves the reason where authz does not answer, and where it is away', async () => {
    edge.authz.answer = 'silence'
    const silent = await refusalOf(() => send('GET / HTTP/1.1'))
    await edge.authz[Symbol.asyncDispose]()
    const away = await refusalOf(() => send('GET / HTTP/1.1'))
    for (const line of [silent, away]) {
      assert.equal(line['reason'], 'ext_authz_error')
      assert.equal(line['status'], 503)
    }
  })
})

const leaving = async ({ envoy, pki }: Edge): Promise<ConnectionOptions> => ({
  host: '127.0.0.1',
  port: await envoy.port(),
  servername: HOST,
  ca: await readFile(pki.ca),
  ALPNProtocols: ['http/1.1'],
})

describe('a request beyond the limit of an upstream', { skip }, () => {
  it('leaves the circuit breaker as its reason', async () => {
    // Takes connections and never answers, so that the one request that may wait does wait.
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- listens on TCP
    const { port } = silent.address() as AddressInfo
    await using edge = await startEdge({
      upstream: { address: `127.0.0.1:${port}`, maxConnections: 1, connectTimeout: '20s' },
    })
    edge.authz.answer = { ...ALLOW, responseHeaders: [['x-countersign-decision', DECISION]] }
    const connected = once(silent, 'connection')
    const waiting = connectTls({ ...(await leaving(edge)) }, () =>
      waiting.write(`GET /waiting HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`),
    )
    await connected
    const line = await lineOf(
      () => edge.refusals(),
      () => sendRaw(edge.target, { line: 'GET / HTTP/1.1', headers: [['Host', HOST]] }),
    )
    waiting.destroy()
    silent.close()
    assert.deepEqual(
      [line['event'], line['reason'], line['flags'], line['status'], line['decision']],
      ['request-failed', 'upstream_reset_before_response_started{overflow}', 'UO', 503, DECISION],
    )
  })
})

describe('a flood of what Envoy refuses', { skip }, () => {
  it('leaves 500 lines at once, and does not keep the line of a permitted request from the log', async () => {
    await using edge = await startEdge({
      limited: true,
      upstream: { address: '127.0.0.1:1' },
    })
    edge.authz.answer = { ...ALLOW, responseHeaders: [['x-countersign-decision', DECISION]] }
    const FLOOD = 800
    const started = performance.now()
    for (let sent = 0; sent < FLOOD; sent += 40) {
      await Promise.all(
        Array.from({ length: 40 }, () =>
          sendRaw(edge.target, { line: 'GET / HTTP/1.0', headers: [['Host', HOST]] }),
        ),
      )
    }
    const seconds = Math.ceil((performance.now() - started) / 1_000)
    await http1(edge.target, {})
    const lines = await eventually(
      () => edge.refusals(),
      (all) => all.some(({ decision }) => decision === DECISION),
    )
    const flood = lines.filter(({ reason }) => reason === 'low_version').length
    assert.ok(flood >= 500)
    assert.ok(flood <= 500 + 10 * (seconds + 1))
  })
})
