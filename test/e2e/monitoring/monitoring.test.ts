// A real Prometheus that reads authz, and the exporter in front of a signer and of Envoy, with the alert rules: every target
// is read, every rule is evaluated, and what the dashboard shows has data after a few checks and a certificate.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { startAuthz } from '../../../src/authz.ts'
import { formatAddress } from '../../../src/config/values.ts'
import { startSigner } from '../../../src/signer.ts'
import { startMetricsExporter } from '../../../src/tools/metrics-exporter.ts'
import { basic } from '../../fakes/envoy.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { SdsClient } from '../../fakes/sds-client.ts'
import { signerSite } from '../../fakes/signer-site.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { skipWithoutPrometheus, startPrometheus } from '../../servers/prometheus.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const FOLDER = resolve(import.meta.dirname, '../../../deploy/monitoring')
const RULES = join(FOLDER, 'countersign.rules.yaml')

const dashboardSchema = z.object({
  panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).default([]) })),
})
const answerSchema = z.object({ status: z.string() })

const targetsSchema = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        health: z.string(),
        lastError: z.string(),
        labels: z.object({ job: z.string() }),
      }),
    ),
  }),
})
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) }),
    ),
  }),
})
const namesSchema = z.object({ data: z.array(z.string()) })

// With data after the checks and the certificate below.
const WITH_DATA = [
  'countersign_build_info',
  'countersign_decisions_total',
  'countersign_check_duration_seconds_bucket',
  'countersign_check_phase_duration_seconds_bucket',
  'countersign_authentications_total',
  'countersign_credential_cache_lookups_total',
  'countersign_state_bytes',
  'countersign_signer_issuance_duration_seconds_count',
  'countersign_signer_authority_not_after_timestamp_seconds',
  'countersign_certificate_not_after_timestamp_seconds',
  'countersign_audit_events_total',
  'grpc_server_handled_total',
  'nodejs_eventloop_lag_p99_seconds',
  'process_cpu_seconds_total',
  'envoy_server_live',
  'envoy_server_days_until_first_cert_expiring',
]

const CONFIG = `
version: 1
listen: { authz: unix:authz.sock, admin: 127.0.0.1:0 }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
routes:
  - { name: app, match: { hosts: [app.example.org] }, authenticate: [staff], authorize: [{ allow: all }], forward: { headers: kubernetes } }
audit: { file: audit.jsonl }
log: { level: error }
`

const skip = skipWithoutPrometheus() || skipWithoutEnvoy()

describe('Prometheus', { skip, timeout: 120_000 }, () => {
  it('reads authz, the signer and Envoy, and evaluates every alert', async () => {
    await using folder = await temporaryFolder()
    const hash = await cheapHash('the-password')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }\n`)
    await writeFile(folder.file('countersign.yaml'), CONFIG)
    await using authz = await startAuthz(folder.file('countersign.yaml'))
    using client = new EnvoyClient(authz.address)
    const headers = [['authorization', basic('alice', 'the-password')]] as const
    for (let count = 0; count < 3; count += 1) await client.check({ headers })
    await using site = await signerSite()
    await site.configure("admin: 'unix:run/admin.sock'\nlog: { level: error }\n")
    await using signer = await startSigner(site.config)
    using sds = new SdsClient(signer.address)
    const stream = sds.open()
    stream.subscribe(site.handle())
    await stream.next()
    stream.cancel()
    const path = folder.file('envoy.sock')
    await using envoy = await startEnvoy({
      bootstrap: JSON.stringify({ admin: { address: { pipe: { path } } } }),
      concurrency: 1,
      logLevel: 'error',
    })
    assert.match(await envoy.admin('/ready'), /^LIVE/)
    await using exporter = await startMetricsExporter({
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      signer: site.file('run/admin.sock'),
      envoy: path,
      logger: memoryLogger().logger,
    })
    assert.ok(authz.admin !== undefined)
    const exported = formatAddress(exporter.address)
    await using prometheus = await startPrometheus(
      [
        { job: 'countersign-authz', target: formatAddress(authz.admin), path: '/metrics' },
        { job: 'countersign-signer', target: exported, path: '/metrics' },
        { job: 'envoy', target: exported, path: '/stats/prometheus' },
      ],
      RULES,
    )
    const targetsNow = async () =>
      targetsSchema.parse(await prometheus.get('/api/v1/targets')).data.activeTargets
    let targets = await targetsNow()
    while (targets.length < 3 || targets.some(({ health }) => health === 'unknown')) {
      targets = await targetsNow()
    }
    assert.deepEqual(
      targets.filter(({ health }) => health !== 'up'),
      [],
    )
    const rulesNow = async () =>
      rulesSchema
        .parse(await prometheus.get('/api/v1/rules'))
        .data.groups.flatMap((group) => group.rules)
    let rules = await rulesNow()
    while (rules.some(({ health }) => health === 'unknown')) rules = await rulesNow()
    assert.ok(rules.length > 10)
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    )
    const { data } = namesSchema.parse(await prometheus.get('/api/v1/label/__name__/values'))
    assert.deepEqual(
      WITH_DATA.filter((name) => !data.includes(name)),
      [],
    )
    const text = await readFile(join(FOLDER, 'countersign.dashboard.json'), 'utf8')
    for (const { targets: shown } of dashboardSchema.parse(JSON.parse(text)).panels) {
      for (const { expr } of shown) {
        const query = encodeURIComponent(expr.replaceAll('$__rate_interval', '1m'))
        const { status } = answerSchema.parse(await prometheus.get(`/api/v1/query?query=${query}`))
        assert.equal(status, 'success', expr)
      }
    }
  })
})
