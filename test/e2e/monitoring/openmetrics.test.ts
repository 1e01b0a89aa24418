// The page of a running authz and of a running signer in OpenMetrics, by the parser of Prometheus' own Python client.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { startAuthz } from '../../../src/authz.ts'
import { startSigner } from '../../../src/signer.ts'
import { basic } from '../../fakes/envoy.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { cheapHash } from '../../fakes/hashes.ts'
import { read } from '../../fakes/scraping.ts'
import { signerSite } from '../../fakes/signer-site.ts'
import { parseOpenMetrics, skipWithoutOpenMetricsParser } from '../../servers/openmetrics-parser.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const OPEN = { headers: { accept: 'application/openmetrics-text; version=1.0.0' } }

const skip = skipWithoutOpenMetricsParser()

/** A collector that takes everything. */
const startCollector = async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    endpoint: `http://127.0.0.1:${address.port}/v1/traces`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('the parser of OpenMetrics', { skip }, () => {
  /** What it reads after a check by a password, of which a share is traced. */
  const familiesAfterCheck = async (sampling: number) => {
    await using folder = await temporaryFolder()
    await using collector = await startCollector()
    const hash = await cheapHash('the-password')
    await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }\n`)
    await writeFile(
      folder.file('countersign.yaml'),
      `
version: 1
listen: { authz: unix:authz.sock, admin: 127.0.0.1:0 }
authenticators:
  staff: { basic: { verify: [{ users: { file: users.yaml } }] } }
routes:
  - { name: app, match: { hosts: [app.example.org] }, authenticate: [staff], authorize: [{ allow: all }] }
audit: { file: audit.jsonl }
tracing: { otlp: { endpoint: '${collector.endpoint}' }, sampling: ${sampling} }
log: { level: error }
`,
    )
    await using authz = await startAuthz(folder.file('countersign.yaml'))
    using client = new EnvoyClient(authz.address)
    const headers = [['authorization', basic('alice', 'the-password')]] as const
    await client.check({ headers })
    return await parseOpenMetrics((await read(authz.admin, '/metrics', OPEN)).body)
  }

  it('reads the page of authz', async () => {
    const families = await familiesAfterCheck(0)
    const decisions = families.find(({ name }) => name === 'countersign_decisions')
    assert.equal(decisions?.type, 'counter')
    const durations = families.find(({ name }) => name === 'countersign_check_duration_seconds')
    assert.deepEqual([durations?.type, durations?.unit], ['histogram', 'seconds'])
    const exemplars = families.flatMap((family) => family.exemplars)
    assert.deepEqual(exemplars, [], 'nothing is traced')
  })

  it('reads exemplars of a check that was traced, and of the phase that waited', async () => {
    const families = (await familiesAfterCheck(1)).filter(({ exemplars }) => exemplars.length > 0)
    assert.deepEqual(
      families.map(({ name, exemplars }) => [name, exemplars.length]),
      [
        ['countersign_check_duration_seconds', 1],
        ['countersign_check_phase_duration_seconds', 1],
      ],
    )
    const [whole, phase] = families.map(({ exemplars }) => exemplars[0]?.['trace_id'])
    assert.match(whole ?? '', /^[0-9a-f]{32}$/)
    assert.equal(whole, phase)
  })

  it('reads the page of the signer', async () => {
    await using site = await signerSite()
    await site.configure("admin: 'unix:run/admin.sock'\nlog: { level: error }\n")
    await using signer = await startSigner(site.config)
    const { body } = await read(signer.admin, '/metrics', OPEN)
    const names = (await parseOpenMetrics(body)).map(({ name }) => name)
    assert.ok(names.includes('countersign_signer_issuance_duration_seconds'))
  })

  it('rejects a page that is not OpenMetrics', async () => {
    await assert.rejects(parseOpenMetrics('a 1\n'), /EOF/)
  })
})
