// A login page as the chart publishes it, run on this machine: authz and a real Envoy, each with the files
// of its own container. Envoy reaches the issuer over mutual TLS, and its address of the caller is trusted.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { startService } from '../../cli/run.ts'
import { Browser } from '../../fakes/browser.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { below, mountFiles, PASSWORD, usersObjects } from './files.ts'
import { containerOf, render, skipWithoutHelm } from './rendered.ts'

const CONFIG = '/etc/countersign/config/countersign.yaml'
const AUTHZ = 'countersign-authz.countersign.svc.cluster.local'
const DASHBOARD = 'https://dashboard.example.org'
/** Another address than Envoy’s, so that the two differ. */
const CALLER = '127.0.0.9'

describe('the login page of the chart', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  const started = new AsyncDisposableStack()
  let port: number
  let issuerPort: number
  let ca: string
  let audit: string
  let state: string

  before(async () => {
    // One replica, so that no Redis is needed; everything else is the example.
    const values = { authz: { replicas: 1 }, state: { kind: 'sqlite' } }
    const [chart, made] = await Promise.all([render({ example: 'login', values }), usersObjects()])
    const { path: authzRoot } = started.use(await temporaryFolder())
    const { path: envoyRoot } = started.use(await temporaryFolder())
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const [authzPort, adminPort] = ports
    issuerPort = ports[2]
    audit = join(authzRoot, 'audit.jsonl')
    state = join(authzRoot, 'var/lib/countersign/state')
    /** The text with addresses of this machine; names in certificates stay what they are. */
    const here = (root: string, text: string): string =>
      below(root, text)
        .replaceAll('0.0.0.0:9001', `127.0.0.1:${authzPort}`)
        .replaceAll('0.0.0.0:9090', `127.0.0.1:${adminPort}`)
        .replaceAll('0.0.0.0:8081', `127.0.0.1:${issuerPort}`)
        .replaceAll('0.0.0.0:8443', '127.0.0.1:0')
        .replaceAll(`${AUTHZ}:9001`, `127.0.0.1:${authzPort}`)
        .replaceAll(`${AUTHZ}:8081`, `127.0.0.1:${issuerPort}`)
        .replace(/^version: 1$/m, `version: 1\naudit: { file: ${audit} }`)
    const namespace = { ...made, configMaps: { ...made.configMaps, ...chart.configMaps } }
    const mount = async (root: string, part: 'authz' | 'envoy'): Promise<void> => {
      const template = chart.pods(part)
      const container = containerOf(template, part)
      await mountFiles(root, template, container, namespace, (text) => here(root, text))
    }
    await mount(authzRoot, 'authz')
    await mount(envoyRoot, 'envoy')
    started.use(await startService('authz', `${authzRoot}${CONFIG}`))
    const { 'countersign.yaml': config = '' } = chart.configMaps['countersign-config'] ?? {}
    const parsed = parseConfig(`${envoyRoot}${CONFIG}`, here(envoyRoot, config))
    assert.ok(parsed.ok, JSON.stringify(parsed))
    const envoy = started.use(await startEnvoy({ bootstrap: renderBootstrap(parsed.config) }))
    port = await envoy.port()
    ca = made.configMaps['staff-ca']?.['ca.crt'] ?? ''
  })
  after(() => started.disposeAsync())

  it('logs users in, with their addresses', async () => {
    const forged = { 'x-countersign-source': '198.51.100.7' }
    const browser = new Browser({ port, tls: { ca }, from: CALLER }, forged)
    const page = await browser.get(`${DASHBOARD}/.countersign/login`)
    const login = await browser.get(page.url)
    const back = await browser.submit(login, '/password', { user: 'alice', password: PASSWORD })
    await browser.get(back.url)
    assert.ok(browser.cookiesOf(DASHBOARD).has('__Host-countersign'), back.body)
    const events = (await readFile(audit, 'utf8')).trim().split('\n')
    const logins = events
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ event }) => event === 'login')
    assert.deepEqual(
      logins.map(({ user, source }) => [user, source]),
      [['alice', CALLER]],
    )
  })

  it('keeps logins on its volume, in a folder that no other user can read', async () => {
    assert.equal((await stat(state)).mode & 0o777, 0o700)
    assert.ok((await stat(join(state, 'state.db'))).size > 0)
  })

  it('refuses peers without Envoy’s certificate', async () => {
    const socket = connect({
      port: issuerPort,
      host: '127.0.0.1',
      servername: 'countersign-authz.countersign.svc',
      ca,
    })
    let got = ''
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    socket.write('GET /jwks HTTP/1.1\r\nHost: id.example.org\r\n\r\n')
    await assert.rejects(once(socket, 'end'), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })
    assert.equal(got, '')
  })
})
