// docs/reference/metrics.md has exactly the metrics that a running authz and a running signer show.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { AUTHZ_METRICS, processMetrics, SIGNER_METRICS } from '../../scripts/reference/metrics.ts'
import { startAuthz } from '../../src/authz.ts'
import type { ListenAddress } from '../../src/runtime/listen.ts'
import type { Metric } from '../../src/runtime/metrics/metric.ts'
import { startSigner } from '../../src/signer.ts'
import { basic } from '../fakes/envoy.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { read, scrape } from '../fakes/scraping.ts'
import { signerSite } from '../fakes/signer-site.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { textOf } from './markdown.ts'

const page = textOf('docs/reference/metrics.md')

const CONFIG = `
version: 1
listen: { authz: unix:authz.sock, admin: 127.0.0.1:0 }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
routes:
  - name: app
    match: { hosts: [app.example.org] }
    authenticate: [staff]
    authorize: [{ deny: no, paths: [/no], shadow: true }, { allow: all }]
audit: { file: audit.jsonl }
log: { level: error }
`

/** The families of a page: name, type and text. */
const familiesOf = async (admin: ListenAddress | undefined): Promise<readonly string[]> => {
  const { body } = await read(admin, '/metrics')
  return [...body.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => `${name} ${type} ${help}`,
  )
}

const shown = async (metrics: readonly Metric[]): Promise<readonly string[]> => [
  ...metrics.map(({ name, type, help }) => `${name} ${type} ${help}`),
  ...(await processMetrics()).map((parts) => parts.join(' ')),
]

describe('the page of metrics', () => {
  it('has the metrics of a running authz, and no other', async () => {
    await using folder = await temporaryFolder()
    const hash = await cheapHash('the-password')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }\n`)
    await writeFile(folder.file('countersign.yaml'), CONFIG)
    await using authz = await startAuthz(folder.file('countersign.yaml'))
    using client = new EnvoyClient(authz.address)
    await client.check({
      path: '/no',
      headers: [['authorization', basic('alice', 'the-password')]],
    })
    await client.check({ headers: [['authorization', basic('alice', 'wrong')]] })
    await client.check({ host: 'other.example.org' })
    const series = await scrape(authz.admin)
    assert.ok(
      [...series.keys()].some((key) => key.startsWith('countersign_shadow_decisions_total{')),
    )
    assert.deepEqual(
      (await familiesOf(authz.admin)).toSorted(),
      (await shown(AUTHZ_METRICS)).toSorted(),
    )
  })

  it('has the metrics of a running signer, and no other', async () => {
    await using site = await signerSite()
    await site.configure("admin: 'unix:run/admin.sock'\nlog: { level: error }\n")
    await using signer = await startSigner(site.config)
    await scrape(signer.admin)
    assert.deepEqual(
      (await familiesOf(signer.admin)).toSorted(),
      (await shown(SIGNER_METRICS)).toSorted(),
    )
  })

  for (const { name } of [...AUTHZ_METRICS, ...SIGNER_METRICS]) {
    it(`has a row for ${name}`, () => assert.ok(page.includes(`| \`${name}\` |`)))
  }

  it('describes every label that a closed list or the configuration fills', () => {
    for (const { labels } of [...AUTHZ_METRICS, ...SIGNER_METRICS]) {
      for (const values of Object.values(labels)) assert.ok(values.length > 1)
    }
  })
})
