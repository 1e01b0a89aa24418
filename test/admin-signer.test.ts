// The admin listener of the signer, whole.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startSigner } from '../src/signer.ts'
import { subjectOf } from './fakes/grant.ts'
import { quietClients } from './fakes/quiet-clients.ts'
import { read, scrape, seriesOf } from './fakes/scraping.ts'
import { SdsClient } from './fakes/sds-client.ts'
import { signerSite, type SignerSite } from './fakes/signer-site.ts'

const READY = '[+]config ok\n[+]audit ok\n[+]serving ok\nreadyz check passed\n'

const ask = async (site: SignerSite, name: string): Promise<void> => {
  using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
  const stream = client.open()
  stream.subscribe(name)
  await stream.next()
  stream.cancel()
}

describe('the signer', () => {
  const ADMIN = "log: { level: error }\nadmin: { address: 'unix:run/admin.sock', mode: '0600' }\n"

  it('counts what it issues and what it refuses', async () => {
    await using site = await signerSite()
    await site.configure(ADMIN)
    await using signer = await startSigner(site.config)
    await ask(site, site.handle())
    await ask(site, site.handle({ subject: subjectOf(['CN', 'bob']) }))
    await ask(site, site.handle({ subject: subjectOf(['O', 'system:masters']) }))
    await ask(site, site.handle({ authority: 'chosen-by-authz' }))
    await ask(site, 'no-handle')
    const series = await scrape(signer.admin)
    const durations = 'countersign_signer_issuance_duration_seconds_count'
    assert.deepEqual(seriesOf(series, durations), { 'authority=kube': 2 })
    assert.deepEqual(seriesOf(series, 'countersign_signer_refusals_total'), {
      'reason=value-reserved': 1,
      'reason=authority-unknown': 1,
      'reason=handle-malformed': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_audit_events_total'), {
      'result=written': 6,
      'result=lost': 0,
    })
    const [left] = Object.values(seriesOf(series, 'countersign_signer_rate_limit_remaining'))
    assert.ok(left !== undefined && left <= 2_000 && left >= 1_998, String(left))
    const ends = series.get(
      'countersign_signer_authority_not_after_timestamp_seconds{authority="kube"}',
    )
    assert.ok((ends ?? 0) > Date.now() / 1_000)
    assert.deepEqual(seriesOf(series, 'countersign_signer_keys_ready'), {}) // P-256: on the spot
    assert.equal(series.get('countersign_signer_nacks_total'), 0)
    assert.ok(![...series.keys()].some((key) => /chosen|alice|bob|masters/.test(key)))
  })

  it('shows its streams, and the keys that it has ahead', async () => {
    await using site = await signerSite()
    await site.configure(ADMIN)
    const text = "{ certificate: ca.pem, key: 'file:ca.key', keys: p384 }"
    const config = `version: 1\nlisten: unix:run/signer.sock\nauthorities: { kube: ${text} }\naudit: { file: a.jsonl }\n${ADMIN}`
    await writeFile(site.config, config)
    await using signer = await startSigner(site.config)
    using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
    const stream = client.open()
    stream.subscribe(site.handle())
    await stream.next()
    let ready = 0
    for (let wait = 0; wait < 100 && ready < 60; wait += 1) {
      const series = await scrape(signer.admin)
      assert.equal(series.get('countersign_signer_streams'), 1)
      assert.equal(series.get('countersign_signer_subscriptions'), 1)
      assert.equal(series.get('countersign_signer_issuances_pending{algorithm="p384"}'), 0)
      ready = series.get('countersign_signer_keys_ready{algorithm="p384"}') ?? 0
    }
    assert.ok(ready >= 60 && ready <= 64, String(ready))
    stream.cancel()
  })

  it('answers each probe while clients hold 1,000 connections', async () => {
    await using site = await signerSite()
    await site.configure(ADMIN)
    await using signer = await startSigner(site.config)
    assert.ok(signer.admin !== undefined)
    using clients = quietClients(signer.admin)
    for (let probe = 0; probe < 20; probe += 1) {
      await clients.add(50, { sent: 'GET /livez' })
      assert.equal((await read(signer.admin, '/livez')).status, 200)
    }
  })

  it('is ready, and on no network', async () => {
    await using site = await signerSite()
    await site.configure(ADMIN)
    await using signer = await startSigner(site.config)
    assert.equal((await read(signer.admin, '/readyz?verbose')).body, READY)
    assert.deepEqual(signer.admin, { kind: 'unix', path: site.file('run/admin.sock') })
  })
})
