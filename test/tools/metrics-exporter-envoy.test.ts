// The exporter in front of a real Envoy: its statistics are read, and its administration is not reachable.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startMetricsExporter } from '../../src/tools/metrics-exporter.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { read } from '../fakes/scraping.ts'
import { skipWithoutEnvoy, startEnvoy } from '../servers/envoy.ts'
import { temporaryFolder } from '../servers/temporary.ts'

describe('the exporter in front of Envoy', { skip: skipWithoutEnvoy(), timeout: 60_000 }, () => {
  it('serves the metrics of its server, and ends nothing', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('admin.sock')
    await using envoy = await startEnvoy({
      bootstrap: JSON.stringify({ admin: { address: { pipe: { path } } } }),
      concurrency: 1,
      logLevel: 'error',
    })
    await using exporter = await startMetricsExporter({
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      envoy: path,
      logger: memoryLogger().logger,
    })
    const { status, body } = await read(exporter.address, '/stats/prometheus')
    assert.equal(status, 200)
    assert.match(body, /^envoy_server_live\{\} 1$/m)
    // What an alert on Envoy's own certificates reads.
    assert.match(body, /^envoy_server_days_until_first_cert_expiring\{\} \d+$/m)
    for (const method of ['GET', 'POST']) {
      assert.equal((await read(exporter.address, '/quitquitquit', { method })).status, 404)
    }
    assert.match(await envoy.admin('/ready'), /^LIVE/)
  })
})
