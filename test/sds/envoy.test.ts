// How a real Envoy handles the service: certificates on demand, refusals, their time, rejections, and a
// signer that was restarted.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../fakes/until.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { certificateOf, CONNECT_TIMEOUT, startHop } from './hop.ts'

const LIMIT = { timeout: 300_000 }
const HOUR = 3_600_000

describe('Envoy', { ...LIMIT, skip: skipWithoutEnvoy() }, () => {
  it('presents the certificate of the name, and asks for it once', async (t) => {
    await using hop = await startHop()
    await using signer = await hop.startSigner()
    const [alice, other] = [
      await certificateOf(hop.pki.alice, 'v1', HOUR),
      await certificateOf(hop.pki.frontProxy, 'v1', HOUR),
    ]
    signer.issuer.answer = (name) => (name === 'grant-of-alice' ? alice : other)
    const first = await hop.request('grant-of-alice')
    t.diagnostic(`first request: ${first.milliseconds} ms`)
    assert.deepEqual([first.status, first.client], [200, 'alice'])
    assert.equal((await hop.request('grant-of-another')).status, 403, 'the upstream knows it')
    assert.equal((await hop.request('grant-of-alice')).status, 200)
    assert.deepEqual(signer.issuer.requests, ['grant-of-alice', 'grant-of-another'])
    assert.deepEqual(signer.statistics(), {
      streams: 2,
      names: 2,
      issued: 2,
      refused: 0,
      nacks: 0,
      errors: 0,
    })
  })

  it('fails a refused request at once, and asks again for the next', async (t) => {
    await using hop = await startHop()
    await using signer = await hop.startSigner()
    const refused = await hop.request('forged')
    t.diagnostic(`refusal: ${refused.milliseconds} ms`)
    assert.equal(refused.status, 503)
    assert.ok(refused.milliseconds < 1_000)
    await until(() => signer.statistics().streams === 0)
    const alice = await certificateOf(hop.pki.alice, 'v1', HOUR)
    signer.issuer.answer = () => alice
    assert.equal((await hop.request('forged')).status, 200)
  })

  it('drops a certificate when its time is over, and asks again when it needs one', async (t) => {
    await using hop = await startHop()
    await using signer = await hop.startSigner()
    const alice = await certificateOf(hop.pki.alice, 'v1', 3_000)
    signer.issuer.answer = () => alice
    await hop.request('alice')
    const start = performance.now()
    assert.equal(await hop.statistic('cert_active'), 1)
    await until(() => signer.statistics().streams === 0)
    t.diagnostic(`stream of a ttl of 3,000 ms ended after ${performance.now() - start} ms`)
    assert.equal(await hop.statistic('cert_active'), 0)
    assert.equal((await hop.request('alice')).status, 200)
    assert.deepEqual(signer.issuer.requests, ['alice', 'alice'])
  })

  it('rejects a certificate that is none at once, and asks again for the next', async (t) => {
    await using hop = await startHop()
    await using signer = await hop.startSigner()
    const alice = await certificateOf(hop.pki.alice, 'v1', HOUR)
    const broken = { ...alice, certificateChain: Buffer.from('no certificate\n') }
    signer.issuer.answer = () => broken
    const outcome = await hop.request('sealed-grant')
    t.diagnostic(`rejected certificate: ${outcome.status} after ${outcome.milliseconds} ms`)
    t.diagnostic(signer.log.filter((line) => line.includes('rejected')).join())
    assert.equal(outcome.status, 503)
    assert.ok(outcome.milliseconds < 1_000)
    assert.equal(signer.statistics().nacks, 1)
    assert.ok(signer.log.some((line) => line.includes('secret rejected by Envoy')))
    assert.ok(signer.log.every((line) => !line.includes('sealed-grant')))
    await until(() => signer.statistics().streams === 0)
    signer.issuer.answer = () => alice
    const again = await hop.request('sealed-grant')
    assert.equal(again.status, 503, 'there is a pause of a second')
    await until(async () => (await hop.request('sealed-grant')).status === 200)
  })
})

describe('a restarted signer', { ...LIMIT, skip: skipWithoutEnvoy() }, () => {
  it('receives what Envoy has, and sends nothing that is current', async (t) => {
    await using hop = await startHop()
    // Envoy has to reconnect to the new signer before it is over.
    const ttl = 12_000
    {
      await using signer = await hop.startSigner()
      const alice = await certificateOf(hop.pki.alice, 'v1', ttl)
      signer.issuer.answer = () => alice
      await hop.request('alice')
      await hop.request('of-alice-too')
    }
    const start = performance.now()
    await sleep(3_000)
    assert.equal((await hop.request('alice')).status, 200, 'without a signer')
    await using signer = await hop.startSigner()
    const restart = performance.now() - start
    signer.issuer.current = () => true
    await until(() => signer.statistics().names === 2)
    assert.deepEqual(signer.issuer.compared.toSorted(), ['alice@v1', 'of-alice-too@v1'])
    assert.equal((await hop.request('alice')).status, 200)
    assert.deepEqual(signer.issuer.requests, [])
    await until(() => signer.statistics().streams === 0)
    const took = performance.now() - start
    t.diagnostic(`a ttl of ${ttl} ms, begun ${restart} ms before a restart, took ${took} ms`)
    assert.ok(took < ttl + restart, 'the time goes on, and does not begin again')
    assert.equal(await hop.statistic('cert_active'), 0)
  })

  it('sends another certificate where Envoy has one that is not current', async () => {
    await using hop = await startHop()
    {
      await using signer = await hop.startSigner()
      const other = await certificateOf(hop.pki.frontProxy, 'v1', HOUR)
      signer.issuer.answer = () => other
      assert.equal((await hop.request('alice')).status, 403)
    }
    const alice = await certificateOf(hop.pki.alice, 'v2', HOUR)
    await using signer = await hop.startSigner(() => alice)
    await until(() => signer.statistics().issued === 1)
    // Workers get it a little later.
    await until(async () => (await hop.request('alice')).status === 200)
    assert.deepEqual(signer.issuer.compared, ['alice@v1'])
    assert.equal(await hop.statistic('cert_active'), 1)
  })

  it('gets requests for what was unavailable while there was none', async (t) => {
    await using hop = await startHop()
    const alone = await hop.request('alice')
    t.diagnostic(`without a signer: ${alone.status} after ${alone.milliseconds} ms`)
    assert.equal(alone.status, 503)
    assert.ok(alone.milliseconds < CONNECT_TIMEOUT + 1_000)
    const alice = await certificateOf(hop.pki.alice, 'v1', HOUR)
    await using signer = await hop.startSigner(() => alice)
    await until(() => signer.statistics().issued === 1)
    assert.equal((await hop.request('alice')).status, 200)
    assert.deepEqual(signer.issuer.compared, [])
  })

  it('keeps its streams through keepalive pings', async () => {
    await using hop = await startHop()
    await using signer = await hop.startSigner()
    const alice = await certificateOf(hop.pki.alice, 'v1', HOUR)
    signer.issuer.answer = () => alice
    await hop.request('alice')
    await sleep(3_500) // a ping each second
    const text = await hop.envoy.admin('/stats?filter=cluster.signer.upstream_cx_(total|destroy)$')
    assert.match(text, /upstream_cx_destroy: 0\n.*upstream_cx_total: 1\n/)
    assert.equal(signer.statistics().streams, 1)
  })
})
