// Requests to a real OCSP responder, that of openssl: its answers, which certificates may sign them, and the
// results of callers while it is silent, slow or down.

import assert from 'node:assert/strict'
import { copyFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { readIssuer, type Issued } from '../../../src/pki/issued.ts'
import { OcspSource, type OcspOptions } from '../../../src/pki/ocsp/ocsp.ts'
import { readCertificate } from '../../../src/x509/certificate.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import {
  createOpensslCa,
  skipWithoutOpenssl,
  type OcspResponder,
  type OpensslCa,
} from '../../servers/ocsp.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

const MINUTE = 60_000

const OPTIONS: OcspOptions = {
  urls: [],
  aia: undefined,
  ca: undefined,
  responders: [],
  hash: 'sha1',
  nonce: 'required',
  skew: MINUTE,
  maxAge: 5 * MINUTE,
  cacheTtl: 60 * MINUTE,
  timeout: 10_000,
  coolDown: 5_000,
}

const NAMES = ['good', 'revoked', 'held', 'later'] as const

describe('openssl ocsp', { skip: skipWithoutOpenssl() }, () => {
  let ca: OpensslCa
  let other: OpensslCa
  let responder: OcspResponder
  const certificates = new Map<string, Issued>()
  before(async () => {
    ca = await createOpensslCa()
    other = await createOpensslCa('Other test CA')
    for (const name of NAMES) {
      await ca.issue(name)
    }
    await ca.issue('stranger', 'leaf', true)
    await ca.issue('responder', 'responder')
    await other.issue('foreigner', 'responder')
    await other.issue('elsewhere')
    await ca.revoke('revoked')
    await ca.revoke('held', 'certificateHold')
    const issuer = readIssuer(await ca.certificate('ca'))
    for (const name of [...NAMES, 'stranger']) {
      certificates.set(name, { certificate: readCertificate(await ca.certificate(name)), issuer })
    }
    certificates.set('elsewhere', {
      certificate: readCertificate(await other.certificate('elsewhere')),
      issuer: readIssuer(await other.certificate('ca')),
    })
    responder = await ca.respond('responder')
  })
  after(async () => {
    await responder[Symbol.asyncDispose]()
    await ca[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })

  const setUp = (url: string, options: Partial<OcspOptions> = {}) => {
    const clock = new FakeClock(Date.now())
    const { logger, lines } = memoryLogger()
    const source = new OcspSource({ ...OPTIONS, urls: [url], ...options }, { clock, logger })
    const ask = async (name: string): Promise<string> => {
      const issued = certificates.get(name)
      assert.ok(issued !== undefined)
      return (await statusOf(source, issued)).outcome
    }
    return { clock, ask, lines }
  }

  /** A responder for one test. */
  const during = async (
    signer: string,
    use: (url: string, one: OcspResponder) => Promise<void>,
    lifetime?: readonly string[],
  ): Promise<void> => {
    await using one = await ca.respond(signer, lifetime)
    await use(one.url, one)
  }

  for (const hash of ['sha1', 'sha256'] as const) {
    for (const [name, want] of [
      ['good', 'good'],
      ['revoked', 'revoked'],
      ['held', 'revoked'],
      ['stranger', 'unknown'],
    ] as const) {
      it(`says by ${hash} that ${name} is ${want}`, async () => {
        assert.equal(await setUp(responder.url, { hash }).ask(name), want)
      })
    }
  }

  it('proves nothing about another issuer’s certificate', async () => {
    assert.equal(await setUp(responder.url).ask('elsewhere'), 'unavailable')
  })

  it('is accepted when the issuer itself signs', async () => {
    await during('ca', async (url) => {
      assert.equal(await setUp(url).ask('good'), 'good')
      assert.equal(await setUp(url).ask('revoked'), 'revoked')
    })
  })

  it('is refused with a certificate that lacks OCSP signing', async () => {
    await during('good', async (url) => {
      const { ask, lines } = setUp(url)
      assert.equal(await ask('later'), 'unavailable')
      assert.match(lines.join(), /not signed by the issuer/)
    })
  })

  it('is refused with a certificate of another issuer, unless that is configured', async () => {
    const [from, to] = [other.folder.file('foreigner'), ca.folder.file('foreigner')]
    await Promise.all(['crt', 'key'].map((end) => copyFile(`${from}.${end}`, `${to}.${end}`)))
    const responders = [await other.certificate('foreigner')]
    await during('foreigner', async (url) => {
      assert.equal(await setUp(url).ask('good'), 'unavailable')
      assert.equal(await setUp(url, { responders }).ask('good'), 'good')
    })
  })

  it('gives answers that are refused after their nextUpdate', async () => {
    const { ask, clock } = setUp(responder.url)
    assert.equal(await ask('good'), 'good')
    clock.advance(10 * MINUTE)
    assert.equal(await ask('good'), 'unavailable') // what it says now is of 10 minutes ago
  })

  it('gives answers without nextUpdate, which are accepted for `maxAge`', async () => {
    await during(
      'responder',
      async (url) => {
        const { ask, clock } = setUp(url, { skew: 5_000, maxAge: MINUTE })
        assert.equal(await ask('good'), 'good')
        clock.advance(2 * MINUTE)
        assert.equal(await ask('good'), 'unavailable')
      },
      [],
    )
  })

  it('reports a revocation at the next query', async () => {
    await during('responder', async (url) => {
      const { ask, clock } = setUp(url, { cacheTtl: MINUTE })
      assert.equal(await ask('later'), 'good')
      await ca.revoke('later', 'superseded')
      // It looks at its list before it waits for a question, so that one answer comes too late.
      await setUp(url).ask('later')
      assert.equal(await ask('later'), 'good')
      clock.advance(MINUTE)
      assert.equal(await ask('later'), 'revoked')
    })
  })

  it('may be silent: callers get an answer at the timeout', async () => {
    await during('responder', async (url, one) => {
      one.pause()
      assert.equal(await setUp(url, { timeout: 100 }).ask('good'), 'unavailable')
    })
  })

  it('may be slow: callers wait for it', async () => {
    await during('responder', async (url, one) => {
      one.pause()
      const pending = setUp(url).ask('good')
      setTimeout(() => one.resume(), 100)
      assert.equal(await pending, 'good')
    })
  })

  it('may be down, and is used again when it is up', async () => {
    await during('responder', async (url, one) => {
      const { ask, clock } = setUp(url)
      await one.kill()
      assert.equal(await ask('good'), 'unavailable')
      await one.start()
      clock.advance(OPTIONS.coolDown)
      assert.equal(await ask('good'), 'good')
    })
  })
})
