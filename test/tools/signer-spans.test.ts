// The spans of a signer, sent by another process: over restarts, and with a socket that has other things to say.

import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { startSigner } from '../../src/signer.ts'
import { sendSignerSpans } from '../../src/tools/signer-spans.ts'
import { countersign } from '../cli/run.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { scrape, seriesOf } from '../fakes/scraping.ts'
import { SdsClient } from '../fakes/sds-client.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const LIMIT = { timeout: 60_000 }

/** A server on loopback or a socket, and what it received. */
const startServer = async (listen: string | undefined, answer: RequestListener) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        bodies.push(Buffer.concat(chunks).toString('latin1'))
        answer(request, response)
      })
  })
  if (listen === undefined) server.listen(0, '127.0.0.1')
  else server.listen(listen)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    bodies,
    collector: {
      endpoint: new URL(`http://127.0.0.1:${port}/v1/traces`),
      protocol: 'http/protobuf',
      headers: {},
      ca: undefined,
    } as const,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const startCollector = () => startServer(undefined, (_, response) => response.end())

const issue = async (signer: Awaited<ReturnType<typeof startSigner>>, handle: string) => {
  using client = new SdsClient(signer.address)
  const stream = client.open()
  stream.subscribe(handle)
  await stream.next()
  stream.cancel()
}

describe('the spans of a signer', LIMIT, () => {
  it('are sent once each, also those of the process that takes its place', async () => {
    await using collector = await startCollector()
    await using site = await signerSite()
    await site.configure("admin: 'unix:run/admin.sock'\nlog: { level: error }\n")
    const { logger } = memoryLogger()
    const socket = site.file('run/admin.sock')
    const sent = () => collector.bodies.join('').split('sds issue').length - 1
    {
      await using signer = await startSigner(site.config)
      await using _ = await sendSignerSpans({
        signer: socket,
        collector: collector.collector,
        logger,
      })
      await issue(signer, site.handle())
      await until(() => sent() === 1)
      await issue(signer, site.handle({ route: 'other' }))
      await until(() => sent() === 2)
    }
    await using sending = await sendSignerSpans({
      signer: socket,
      collector: collector.collector,
      logger,
    })
    await using signer = await startSigner(site.config)
    // From its first request on.
    await until(async () => {
      await issue(signer, site.handle({ route: `route-${performance.now()}` }))
      return sent() > 2
    })
    await sending[Symbol.asyncDispose]()
    const counts = seriesOf(await scrape(signer.admin), 'countersign_signer_spans_total')
    assert.equal(counts['outcome=dropped'], 0)
  })

  for (const [name, body] of [
    ['is no JSON', 'spans'],
    ['is something else', '{"process":"a","last":1,"spans":[]}'],
    [
      'has ids that are none',
      `{"process":"${'a'.repeat(16)}","last":1,"spans":[{"traceId":"../../etc","spanId":"b","name":"n","kind":"server","start":1,"duration":1,"attributes":{}}]}`,
    ],
  ] as const) {
    it(`hostile: are not sent where the page ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using collector = await startCollector()
      await using _ = await startServer(folder.file('admin.sock'), (__, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(body),
      )
      const { logger, lines } = memoryLogger()
      const options = { signer: folder.file('admin.sock'), logger }
      await (
        await sendSignerSpans({ ...options, collector: collector.collector })
      )[Symbol.asyncDispose]()
      assert.match(lines.join(''), /spans of the signer cannot be read/)
      assert.deepEqual(collector.bodies, [])
    })
  }
})

describe('countersign metrics --traces', LIMIT, () => {
  const start = ['metrics', '--listen', '127.0.0.1:0', '--signer', 'unix:/nowhere/a.sock']

  it('needs https where headers have credentials', async () => {
    process.env['OTEL_EXPORTER_OTLP_HEADERS'] = 'authorization=secret'
    try {
      const args = [...start, '--traces', 'http://192.0.2.1:4318/v1/traces']
      const { status, stderr } = await countersign(args)
      assert.equal(status, 1)
      assert.match(stderr, /must be https/)
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_HEADERS']
    }
  })

  it('needs the socket of a signer, and a URL without a password', async () => {
    const envoy = ['metrics', '--listen', '127.0.0.1:0', '--envoy', 'unix:/nowhere/a.sock']
    const none = await countersign([...envoy, '--traces', 'http://127.0.0.1:1/'])
    assert.match(none.stderr, /--traces needs --signer/)
    const password = await countersign([...start, '--traces', 'http://a:b@127.0.0.1:1/'])
    assert.match(password.stderr, /without a user/)
  })
})
