// The exporter of metrics that are on UNIX sockets: what it passes on, and what it never sends to a socket.

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { startMetricsExporter } from '../../src/tools/metrics-exporter.ts'
import { startSigner } from '../../src/signer.ts'
import { countersign } from '../cli/run.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { read } from '../fakes/scraping.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const LIMIT = { timeout: 60_000 }

/** An admin interface on a socket, and the requests that it received. */
const startAdmin = async (path: string, answer: RequestListener) => {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  }).listen(path)
  await once(server, 'listening')
  return {
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const stats: RequestListener = (_, response) =>
  response.writeHead(200, { 'content-type': 'text/plain; charset=UTF-8' }).end('envoy_up 1\n')

const start = async (sockets: { readonly signer?: string; readonly envoy?: string }) =>
  await startMetricsExporter({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    ...sockets,
    logger: memoryLogger().logger,
  })

describe('the exporter of metrics', LIMIT, () => {
  it('serves the metrics of a running signer, in both formats', async () => {
    await using site = await signerSite()
    await site.configure("admin: 'unix:run/admin.sock'\nlog: { level: error }\n")
    await using signer = await startSigner(site.config)
    assert.equal(signer.admin?.kind, 'unix')
    await using exporter = await start({ signer: site.file('run/admin.sock') })
    const { status, body } = await read(exporter.address, '/metrics')
    assert.equal(status, 200)
    assert.match(
      body,
      /^countersign_signer_authority_not_after_timestamp_seconds\{authority="kube"\} \d+$/m,
    )
    const accept = 'application/openmetrics-text;version=1.0.0'
    const open = await read(exporter.address, '/metrics', { headers: { accept } })
    assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text/)
    assert.equal((await read(exporter.address, '/stats/prometheus')).status, 404)
    assert.equal((await read(exporter.address, '/readyz')).status, 404)
  })

  it('hostile: sends nothing but GET /stats/prometheus to the socket of Envoy', async () => {
    await using folder = await temporaryFolder()
    await using admin = await startAdmin(folder.file('admin.sock'), stats)
    await using exporter = await start({ envoy: folder.file('admin.sock') })
    const page = await read(exporter.address, '/stats/prometheus?usedonly&filter=.*')
    assert.equal(page.status, 200)
    assert.equal(page.body, 'envoy_up 1\n')
    for (const path of [
      '/quitquitquit',
      '/config_dump',
      '/stats/prometheus/../../quitquitquit',
      '/stats/prometheus/',
      '//stats/prometheus',
      '/stats%2fprometheus',
      '/metrics',
    ]) {
      assert.equal((await read(exporter.address, path)).status, 404, path)
    }
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status } = await read(exporter.address, '/stats/prometheus', { method })
      assert.equal(status, 405, method)
    }
    assert.deepEqual(
      admin.requests.map(({ method, url }) => `${method} ${url}`),
      ['GET /stats/prometheus'],
    )
  })

  it('sends one request for scrapes at the same time', async () => {
    await using folder = await temporaryFolder()
    const waiting = Promise.withResolvers<void>()
    await using admin = await startAdmin(folder.file('admin.sock'), (request, response) => {
      void waiting.promise.then(() => stats(request, response))
    })
    await using exporter = await start({ envoy: folder.file('admin.sock') })
    assert.ok(exporter.address.kind === 'tcp')
    const socket = connect(exporter.address.port, '127.0.0.1')
    let received = ''
    socket.setEncoding('utf8').on('data', (text: string) => (received += text))
    const get = 'GET /stats/prometheus HTTP/1.1\r\nhost: a\r\n\r\n'
    socket.write(get.repeat(5))
    await until(() => admin.requests.length > 0)
    waiting.resolve()
    await until(() => received.split('HTTP/1.1 200').length === 6)
    socket.destroy()
    assert.equal(admin.requests.length, 1)
  })

  for (const { name, answer } of [
    { name: 'an error', answer: (_, response) => response.writeHead(503).end('secret') },
    {
      name: 'a response that is cut short',
      answer: (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('a')
        response.destroy()
      },
    },
  ] satisfies readonly { readonly name: string; readonly answer: RequestListener }[]) {
    it(`answers ${name} of the socket with 502 and no part of it`, async () => {
      await using folder = await temporaryFolder()
      await using admin = await startAdmin(folder.file('admin.sock'), answer)
      await using exporter = await start({ envoy: folder.file('admin.sock') })
      const { status, body } = await read(exporter.address, '/stats/prometheus')
      assert.equal(status, 502)
      assert.equal(body, 'metrics cannot be read\n')
      assert.equal(admin.requests.length, 1)
    })
  }

  it('answers 502 while no process listens on the socket', async () => {
    await using folder = await temporaryFolder()
    await using exporter = await start({ signer: folder.file('none.sock') })
    assert.equal((await read(exporter.address, '/metrics')).status, 502)
  })
})

describe('countersign metrics', LIMIT, () => {
  for (const { args, want } of [
    { args: ['--listen', '127.0.0.1:0'], want: /nothing to serve/ },
    { args: ['--listen', '127.0.0.1:0', '--envoy', '127.0.0.1:1'], want: /must be unix:PATH/ },
    { args: ['--listen', 'nowhere', '--envoy', 'unix:/a'], want: /must be HOST:PORT or unix:PATH/ },
    { args: ['--envoy', 'unix:/a'], want: /--listen/ },
  ]) {
    it(`refuses "${args.join(' ')}"`, async () => {
      const { status, stderr } = await countersign(['metrics', ...args])
      assert.equal(status, 1)
      assert.match(stderr, want)
    })
  }
})
