// What the chart renders with two workers, run on this machine: a real Envoy calls both over mutual TLS, and a login is known to both.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { decisionsIn } from '../../e2e/audit-events.ts'
import { Browser } from '../../fakes/browser.ts'
import { until } from '../../fakes/until.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { PASSWORD } from './files.ts'
import { skipWithoutHelm } from './rendered.ts'
import { startChart, type RunningChart } from './running-chart.ts'

const DASHBOARD = 'https://dashboard.example.org'

describe('two workers of the chart', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  let chart: RunningChart

  before(async () => {
    const values = { authz: { replicas: 1, workers: 2 }, state: { kind: 'sqlite' } }
    chart = await startChart({ example: 'login', values })
  })
  after(() => chart[Symbol.asyncDispose]())

  it('decide by the session of one login', async () => {
    const ca = chart.made.configMaps['staff-ca']?.['ca.crt'] ?? ''
    const browser = new Browser({ port: chart.ports.envoy, tls: { ca } })
    const page = await browser.get(`${DASHBOARD}/.countersign/login`)
    const login = await browser.get(page.url)
    const back = await browser.submit(login, '/password', { user: 'alice', password: PASSWORD })
    await browser.get(back.url)
    assert.ok(browser.cookiesOf(DASHBOARD).has('__Host-countersign'), back.body)
    const files = [chart.audit, join(chart.audit, '../audit-1.jsonl')]
    const byUser = async (): Promise<readonly number[]> =>
      (await Promise.all(files.map(decisionsIn))).map(
        (events) => events.filter(({ user }) => user === 'alice').length,
      )
    await until(async () => {
      await browser.get(`${DASHBOARD}/`)
      return (await byUser()).every((count) => count > 0)
    }, 'both workers have decided about a request of alice')
  })

  it('are healthy together, by the probe of the chart', async () => {
    const answer = await fetch(`http://127.0.0.1:${chart.ports.admin}/readyz?verbose`)
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /^\[\+\]workers ok$/m)
  })
})
