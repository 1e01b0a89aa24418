// CRLs that openssl has made, from files and from a server.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CrlSource, type CrlPlace } from '../../../src/pki/crl/crl.ts'
import { readCrls } from '../../../src/pki/crl/document.ts'
import { readIssuer, type Issued } from '../../../src/pki/issued.ts'
import { RevocationSources } from '../../../src/pki/revocation-sources.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { decodePem } from '../../../src/x509/pem.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { createOpensslCa, skipWithoutOpenssl, type OpensslCa } from '../../servers/ocsp.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

const TIMES = { grace: 0, skew: 60_000 }

const sourceOf = (files: readonly Buffer[], remote: readonly CrlPlace[] = []): CrlSource =>
  new CrlSource({ files: files.flatMap(readCrls), remote, ...TIMES, clock: systemClock })

describe('CRLs issued by openssl', { skip: skipWithoutOpenssl() }, () => {
  let ca: OpensslCa
  let other: OpensslCa
  const certificates = new Map<string, Issued>()
  before(async () => {
    ca = await createOpensslCa()
    other = await createOpensslCa() // of the same name
    const issuer = readIssuer(await ca.certificate('ca'))
    for (const name of ['good', 'revoked', 'held', 'later', 'soon']) {
      certificates.set(name, { certificate: readCertificate(await ca.issue(name)), issuer })
    }
    await ca.revoke('revoked')
    await ca.revoke('held', 'certificateHold')
  })
  after(async () => {
    await ca[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })

  const ask = async (source: CrlSource, name: string): Promise<string> => {
    const issued = certificates.get(name)
    assert.ok(issued !== undefined)
    return (await statusOf(source, issued)).outcome
  }

  it('say which certificates are revoked, in PEM and in DER', async () => {
    const pem = await ca.completeCrl()
    const [der] = decodePem('X509 CRL', pem.toString('latin1'))
    assert.ok(der !== undefined)
    for (const bytes of [pem, der]) {
      const source = sourceOf([bytes])
      const outcomes = await Promise.all(
        ['good', 'revoked', 'held'].map((name) => ask(source, name)),
      )
      assert.deepEqual(outcomes, ['good', 'revoked', 'revoked'])
    }
  })

  it('are refused after their nextUpdate', async () => {
    const source = sourceOf([await ca.completeCrl({ outOfDate: true })])
    assert.equal(await ask(source, 'good'), 'unavailable')
    assert.equal(await ask(source, 'revoked'), 'revoked')
  })

  it('of an issuer of the same name are refused', async () => {
    assert.equal(await ask(sourceOf([await other.completeCrl()]), 'good'), 'unavailable')
  })

  it('are completed by delta CRLs', async () => {
    const complete = await ca.completeCrl()
    await ca.revoke('later', 'superseded')
    const delta = await ca.deltaCrl()
    assert.equal(await ask(sourceOf([complete]), 'later'), 'good')
    const source = sourceOf([delta, complete])
    const outcomes = await Promise.all(
      ['good', 'revoked', 'later'].map((name) => ask(source, name)),
    )
    assert.deepEqual(outcomes, ['good', 'revoked', 'revoked'])
  })

  it('are fetched again while they are in use, and stay in use when their server is down', async () => {
    let body = await ca.completeCrl()
    await using server = await startScriptedHttp(() => ({ body }))
    using sources = new RevocationSources(systemClock, memoryLogger().logger)
    const times = { refresh: { min: 50, max: 50 }, coolDown: 50, timeout: 5_000 }
    const url = new URL(`${server.origin}/ca.crl`)
    const source = sourceOf([], [sources.crl(url, { ca: undefined, times, maxBytes: 1_048_576 })])
    assert.equal(await ask(source, 'soon'), 'good')
    await ca.revoke('soon')
    body = await ca.completeCrl()
    while ((await ask(source, 'soon')) !== 'revoked') {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const requests = server.requests.length
    await server.stop()
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(server.requests.length, requests)
    const outcomes = await Promise.all(['good', 'soon'].map((name) => ask(source, name)))
    assert.deepEqual(outcomes, ['good', 'revoked'])
  })
})
