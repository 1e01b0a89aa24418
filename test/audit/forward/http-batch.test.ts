// Batches over HTTP in each format, and servers that refuse, redirect or answer without end.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { NotTaken } from '../../../src/audit/forward/delivery.ts'
import { httpDelivery } from '../../../src/audit/forward/http-batch.ts'
import { sinksSchema, type SinkConfig } from '../../../src/audit/forward/schema.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { listenOnLoopback } from '../../servers/loopback.ts'
import { createAuthority } from '../../servers/pki.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { EVENT, never, record } from './records.ts'

const sinkOf = (http: object): NonNullable<SinkConfig['http']> => {
  const { lake } = sinksSchema.parse({ lake: { http } })
  assert.ok(lake?.http !== undefined)
  return lake.http
}

const SECOND = EVENT.replace('decision', 'login')

describe('an HTTP sink', () => {
  it('sends lines of JSON', async () => {
    await using server = await startScriptedHttp(() => ({ status: 204 }))
    const delivery = httpDelivery(sinkOf({ url: `${server.origin}/audit` }), systemClock)
    await delivery.send([record(EVENT), record(SECOND, 2)], never)
    const [request] = server.requests
    assert.equal(request?.method, 'POST')
    assert.equal(request?.path, '/audit')
    assert.equal(request?.headers['content-type'], 'application/x-ndjson')
    assert.equal(request?.body.toString(), `${EVENT}\n${SECOND}\n`)
  })

  it('sends an array', async () => {
    await using server = await startScriptedHttp(() => ({}))
    const delivery = httpDelivery(sinkOf({ url: server.origin, format: 'json' }), systemClock)
    await delivery.send([record(EVENT), record(SECOND, 2)], never)
    const [request] = server.requests
    assert.equal(request?.headers['content-type'], 'application/json')
    assert.equal(request?.body.toString(), `[${EVENT},${SECOND}]`)
  })

  it('sends a batch of CloudEvents 1.0, which have the attributes that the specification requires', async () => {
    await using server = await startScriptedHttp(() => ({}))
    const config = sinkOf({ url: server.origin, format: 'cloudevents' })
    await httpDelivery(config, systemClock).send([record(EVENT, 42), record('{}', 43)], never)
    const [request] = server.requests
    const type = 'application/cloudevents-batch+json; charset=UTF-8'
    assert.equal(request?.headers['content-type'], type)
    const [event, other] = JSON.parse(request?.body.toString() ?? '')
    assert.deepEqual(event, {
      specversion: '1.0',
      type: 'countersign.audit.decision',
      source: 'urn:countersign:audit:k3Vn0QyPz1aB',
      id: 'A'.repeat(43),
      time: '2026-11-28T12:00:00.123Z',
      sequence: '0000000000000042',
      datacontenttype: 'application/json',
      data: JSON.parse(EVENT),
    })
    assert.equal(other.type, 'countersign.audit.unknown')
  })

  const refusals = [
    { status: 400, isAboutContent: true },
    { status: 413, isAboutContent: true },
    { status: 401, isAboutContent: false },
    { status: 302, isAboutContent: false },
    { status: 500, isAboutContent: false },
    { status: 429, isAboutContent: false, header: '7', wait: 7_000 },
    { status: 503, isAboutContent: false, header: 'Thu, 01 Jan 2026 00:00:09 GMT', wait: 9_000 },
    { status: 503, isAboutContent: false, header: '999999999', wait: 600_000 },
    { status: 503, isAboutContent: false, header: 'soon' },
  ]
  for (const { status, isAboutContent, header, wait } of refusals) {
    it(`is not acknowledged by ${status}${header === undefined ? '' : `, Retry-After: ${header}`}`, async () => {
      const headers = header === undefined ? { location: '/other' } : { 'retry-after': header }
      await using server = await startScriptedHttp(() => ({ status, headers }))
      const delivery = httpDelivery(sinkOf({ url: server.origin }), new FakeClock())
      await assert.rejects(delivery.send([record(EVENT)], never), (cause) => {
        assert.ok(cause instanceof NotTaken)
        assert.equal(cause.isAboutContent, isAboutContent)
        assert.equal(cause.retryAfter, wait)
        return true
      })
      assert.equal(server.requests.length, 1)
    })
  }

  it('bounds what it reads of an answer', async () => {
    const server = createServer((request, response) => {
      request.resume()
      response.on('error', () => undefined)
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', more)
      }
      more()
    })
    const { port, stop } = await listenOnLoopback(server)
    try {
      const delivery = httpDelivery(sinkOf({ url: `http://127.0.0.1:${port}` }), systemClock)
      await assert.rejects(delivery.send([record(EVENT)], never), /sent more than 65536 bytes/)
    } finally {
      await stop()
    }
  })

  it('ends a batch that takes too long', async () => {
    await using server = await startScriptedHttp(() => new Promise(() => undefined))
    const delivery = httpDelivery(sinkOf({ url: server.origin }), systemClock)
    await assert.rejects(delivery.send([record(EVENT)], AbortSignal.timeout(100)), /timeout/)
  })
})

describe('an HTTP sink over TLS', () => {
  it('shows its client certificate, and a token that was replaced meanwhile', async () => {
    await using folder = await temporaryFolder()
    await using authority = await createAuthority('HTTP test CA')
    const names = ['lake.example.org']
    const own = await authority.issue({ commonName: 'lake', names, usage: 'server' })
    const client = await authority.issue({ commonName: 'forwarder', usage: 'client' })
    const seen: (readonly [string | undefined, unknown])[] = []
    const answer = (request: IncomingMessage): void => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of an HTTPS server
      const { subject } = (request.socket as TLSSocket).getPeerCertificate()
      seen.push([request.headers.authorization, subject.CN])
    }
    const server = createTlsServer(
      {
        cert: readFileSync(own.certificate),
        key: readFileSync(own.key),
        ca: readFileSync(authority.ca),
        requestCert: true,
      },
      (request, response) => {
        answer(request)
        request.resume().on('end', () => response.end())
      },
    )
    const { port, stop } = await listenOnLoopback(server)
    try {
      await writeFile(folder.file('token'), 'Bearer one\n')
      const clock = new FakeClock()
      const config = sinkOf({
        url: `https://127.0.0.1:${port}`,
        headers: { authorization: `file:${folder.file('token')}` },
        tls: {
          ca: authority.ca,
          client: { certificate: client.certificate, key: `file:${client.key}` },
          serverName: 'lake.example.org',
        },
      })
      await using delivery = httpDelivery(config, clock)
      await delivery.send([record(EVENT)], never)
      await writeFile(folder.file('next'), 'Bearer two\n')
      await rename(folder.file('next'), folder.file('token'))
      clock.advance(10_000)
      await delivery.send([record(EVENT)], never)
      const { serverName: _, ...tls } = config.tls ?? {}
      const unnamed = httpDelivery({ ...config, tls }, clock)
      await assert.rejects(unnamed.send([record(EVENT)], never), /does not match certificate/)
    } finally {
      await stop()
    }
    assert.deepEqual(seen, [
      ['Bearer one', 'forwarder'],
      ['Bearer two', 'forwarder'],
    ])
  })
})

describe('the configuration of sinks', () => {
  const faults = [
    {
      name: 'HTTP to another machine',
      sink: { http: { url: 'http://lake.example.org' } },
      want: /must be https/,
    },
    {
      name: 'syslog to another machine',
      sink: { syslog: { address: 'siem.example:514' } },
      want: /plaintext: true/,
    },
    {
      name: 'a password in the URL',
      sink: { http: { url: 'https://u:p@lake.example.org' } },
      want: /without user/,
    },
    {
      name: 'two kinds',
      sink: { http: { url: 'https://a.example' }, otlp: { url: 'https://a.example' } },
      want: /exactly one/,
    },
    { name: 'no kind', sink: {}, want: /exactly one/ },
  ]
  for (const { name, sink, want } of faults) {
    it(`refuses ${name}`, () => {
      const parsed = sinksSchema.safeParse({ siem: sink })
      assert.match(JSON.stringify(parsed.error?.issues), want)
    })
  }

  it('takes another machine in the clear where the configuration says so', () => {
    const sink = { syslog: { address: 'relay.example:514', plaintext: true } }
    assert.ok(sinksSchema.safeParse({ siem: sink }).success)
  })
})
