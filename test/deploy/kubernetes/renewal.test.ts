// Certificates that are renewed in the Secrets of the chart, as cert-manager does: the kubelet renames the link `..data`,
// and authz and a real Envoy use the new ones without a restart.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { connect, type ConnectionOptions } from 'node:tls'
import { startService } from '../../cli/run.ts'
import { until } from '../../fakes/until.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { replaceFiles, tlsSecret } from './files.ts'
import { skipWithoutHelm } from './rendered.ts'
import { startChart, type RunningChart } from './running-chart.ts'

const HOST = 'kube.example.org'
const SECRETS = '/etc/countersign/secrets'

describe('a renewed certificate', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  const started = new AsyncDisposableStack()
  let chart: RunningChart
  let renewed: Authority
  let ca: string

  before(async () => {
    renewed = started.use(await createAuthority('Renewed CA'))
    ca = await readFile(renewed.ca, 'utf8')
    chart = started.use(await startChart({ example: 'certificate' }))
  })
  after(() => started.disposeAsync())

  const secret = (name: string): Readonly<Record<string, string>> => chart.made.secrets[name] ?? {}

  /** What a connection to the port comes to: the issuer of the certificate and what the server sends first. */
  const connected = async (options: ConnectionOptions): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', ...options })
    try {
      await once(socket, 'secureConnect')
      return String(socket.getPeerCertificate().issuer.CN)
    } finally {
      socket.destroy()
    }
  }

  /** Whether authz accepts a client with that certificate: it sends SETTINGS (RFC 9113 §3.4), or an alert. */
  const isAccepted = async (cert: string, key: string): Promise<boolean> => {
    const socket = connect({
      host: '127.0.0.1',
      port: chart.ports.authz,
      servername: 'countersign-authz.countersign.svc',
      ca: secret('countersign-authz-tls')['ca.crt'],
      ALPNProtocols: ['h2'],
      cert,
      key,
    })
    const accepted = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      once(socket, 'close').then(() => false),
    ])
    socket.destroy()
    return accepted
  }

  const status = async (): Promise<number> => {
    const trusted = [ca, secret('countersign-edge-tls')['ca.crt'] ?? ''].join('\n')
    const socket = connect({ port: chart.ports.envoy, servername: HOST, ca: trusted })
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  }

  it('of Envoy for callers is presented to new connections', async () => {
    const edge = { port: chart.ports.envoy, servername: HOST, rejectUnauthorized: false }
    assert.equal(await connected(edge), 'Countersign chart test CA')
    const pair = await renewed.issue({ commonName: HOST, names: [HOST], usage: 'server' })
    const folder = `${chart.envoyRoot}${SECRETS}/countersign-edge-tls`
    await replaceFiles(folder, await tlsSecret(pair, ca))
    await until(async () => (await connected(edge)) === 'Renewed CA')
  })

  it('of the CA of Envoy is required by authz', async () => {
    const { 'tls.crt': cert = '', 'tls.key': key = '' } = secret('countersign-envoy-tls')
    assert.ok(await isAccepted(cert, key))
    const folder = `${chart.authzRoot}${SECRETS}/countersign-authz-tls`
    await replaceFiles(folder, { ...secret('countersign-authz-tls'), 'ca.crt': ca })
    await until(async () => !(await isAccepted(cert, key)))
  })

  it('of Envoy for authz is presented to authz', async () => {
    await chart.authz.end()
    const config = `${chart.authzRoot}/etc/countersign/config/countersign.yaml`
    started.use(await startService('authz', config))
    // Without it authz does not accept the connection, and Envoy refuses the request.
    assert.equal(await status(), 503)
    const pair = await renewed.issue({ commonName: 'envoy', usage: 'client' })
    const own = await tlsSecret(pair, secret('countersign-envoy-tls')['ca.crt'] ?? '')
    await replaceFiles(`${chart.envoyRoot}${SECRETS}/countersign-envoy-tls`, own)
    await until(async () => (await status()) === 401)
  })
})
