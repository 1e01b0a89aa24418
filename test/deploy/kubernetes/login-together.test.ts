// A login page as the chart publishes it, run on this machine: authz and a real Envoy, each with the files
// of its own container. Envoy reaches the issuer over mutual TLS, and its address of the caller is trusted.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { Browser } from '../../fakes/browser.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { PASSWORD } from './files.ts'
import { skipWithoutHelm } from './rendered.ts'
import { startChart, type RunningChart } from './running-chart.ts'

const DASHBOARD = 'https://dashboard.example.org'
/** Another address than Envoy’s, so that the two differ. */
const CALLER = '127.0.0.9'

describe('the login page of the chart', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  let chart: RunningChart
  let ca: string

  before(async () => {
    // One replica, so that no Redis is needed; everything else is the example.
    const values = { authz: { replicas: 1 }, state: { kind: 'sqlite' } }
    chart = await startChart({ example: 'login', values })
    ca = chart.made.configMaps['staff-ca']?.['ca.crt'] ?? ''
  })
  after(() => chart[Symbol.asyncDispose]())

  it('logs users in, with their addresses', async () => {
    const forged = { 'x-countersign-source': '198.51.100.7' }
    const browser = new Browser({ port: chart.ports.envoy, tls: { ca }, from: CALLER }, forged)
    const page = await browser.get(`${DASHBOARD}/.countersign/login`)
    const login = await browser.get(page.url)
    const back = await browser.submit(login, '/password', { user: 'alice', password: PASSWORD })
    await browser.get(back.url)
    assert.ok(browser.cookiesOf(DASHBOARD).has('__Host-countersign'), back.body)
    const events = (await readFile(chart.audit, 'utf8')).trim().split('\n')
    const logins = events
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ event }) => event === 'login')
    assert.deepEqual(
      logins.map(({ user, source }) => [user, source]),
      [['alice', CALLER]],
    )
  })

  it('keeps logins on its volume, in a folder that no other user can read', async () => {
    const state = join(chart.authzRoot, 'var/lib/countersign/state')
    assert.equal((await stat(state)).mode & 0o777, 0o700)
    assert.ok((await stat(join(state, 'state.db'))).size > 0)
  })

  it('refuses peers without Envoy’s certificate', async () => {
    const socket = connect({
      port: chart.ports.issuer,
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
