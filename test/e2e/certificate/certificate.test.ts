import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { AuditEvent } from '../../../src/audit/event.ts'
import { certificateOf, type SeenRequest } from '../../servers/certificate-upstream.ts'
import { http1, http2, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, HOST, startCertificateSite, type CertificateSite } from '../certificate-site.ts'

const seen = ({ status, body }: Answer): SeenRequest => {
  assert.equal(status, 200, body)
  const request: SeenRequest = JSON.parse(body)
  return request
}

const issuedFor = (
  events: readonly AuditEvent[],
  handle: string | undefined,
): Extract<AuditEvent, { event: 'certificate-issued' }> | undefined =>
  events
    .filter((event) => event.event === 'certificate-issued')
    .find((event) => event.handle === handle)

describe('a password in, a client certificate out', { skip: skipWithoutEnvoy() }, () => {
  let site: CertificateSite
  before(async () => (site = await startCertificateSite()))
  after(() => site[Symbol.asyncDispose]())

  for (const [version, send] of Object.entries({ http1, http2 })) {
    it(`1. shows the upstream a certificate for alice and her groups (${version})`, async () => {
      const request = seen(await send(site.target, { host: HOST, headers: [basic('alice')] }))
      assert.equal(request.subject, 'CN=alice, O=dev, O=ops')
      assert.equal(request.issuer, 'CN=Minting CA')
      const certificate = certificateOf(request)
      assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
      assert.equal(certificate.ca, false)
      const names = request.rawHeaders.map((name) => name.toLowerCase())
      assert.ok(!names.includes('authorization'))
      assert.ok(!request.rawHeaders.some((text) => text.includes(request.certificate)))
    })
  }

  it('2. the certificate is valid for an hour, backdated by five minutes', async () => {
    const certificate = certificateOf(seen(await http1(site.target, { headers: [basic('bob')] })))
    const [begin, end] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    assert.equal(end - begin, 65 * 60_000)
    assert.ok(end - Date.now() >= 30 * 60_000 - 1_000)
    assert.ok(Date.now() - begin >= 5 * 60_000 - 1_000)
  })

  it('3. decision and issuance have the same handle, of which logs have the digest only', async () => {
    const request = seen(await http1(site.target, { headers: [basic('alice')] }))
    const decision = (await site.decisions()).at(-1)
    assert.match(decision?.handle ?? '', /^[0-9a-f]{16}$/)
    assert.deepEqual(decision?.forwarded, ['certificate'])
    const issued = issuedFor(await site.issuances(), decision?.handle)
    const certificate = certificateOf(request)
    assert.equal(issued?.fingerprint, certificate.fingerprint256.replaceAll(':', '').toLowerCase())
    assert.equal(issued.serial, certificate.serialNumber.toLowerCase())
    assert.equal(issued.route, 'kubernetes')
    assert.equal(issued.authenticator, 'staff')
  })

  it('4. requests of one hour get the same certificate', async () => {
    const [first, second] = [
      seen(await http1(site.target, { headers: [basic('alice')] })),
      seen(await http2(site.target, { host: HOST, headers: [basic('alice')] })),
    ]
    assert.equal(first.serialNumber, second.serialNumber)
  })

  it('5. handles are not in Envoy’s statistics, and are sealed in its dumps', async () => {
    const statistics = await site.envoy.admin('/stats?filter=sds|secret')
    assert.doesNotMatch(statistics, /^sds\.|on_demand_secret\.ssl\.certificate/m)
    assert.match(statistics, /kubernetes_certificate\.on_demand_secret\.cert_active: \d/)
    assert.doesNotMatch(await site.envoy.admin('/config_dump?include_eds'), /alice|Basic /)
  })

  it('6. a wrong password mints no certificate', async () => {
    const earlier = (await site.issuances()).length
    assert.equal((await http1(site.target, { headers: [basic('alice', 'wrong')] })).status, 401)
    assert.equal((await site.issuances()).length, earlier)
  })
})

describe('long answers with client certificates', { skip: skipWithoutEnvoy() }, () => {
  it('outlast max_connection_duration, which ends the connection after the answer', async () => {
    // A lifetime of 10 s: connections of 4 s, and certificates that change every 5 s.
    await using site = await startCertificateSite({ certificate: { lifetime: '10s' } })
    const answer = await http1(site.target, { path: '/slow?count=70', headers: [basic('alice')] })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.split('\n').length, 71)
  })

  it('get a new certificate at half of its life', async () => {
    await using site = await startCertificateSite({ certificate: { lifetime: '10s' } })
    const serials = new Set<string>()
    for (const end = Date.now() + 12_000; Date.now() < end;) {
      const request = seen(await http1(site.target, { headers: [basic('alice')] }))
      assert.ok(Date.parse(request.validTo) - Date.now() >= 4_000 - 1_000)
      serials.add(request.serialNumber)
    }
    assert.ok(serials.size >= 2 && serials.size <= 4, `${serials.size} certificates`)
  })
})
