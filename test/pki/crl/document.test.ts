// CRLs that are about some certificates only, those that must not be used, and long ones.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrlSource } from '../../../src/pki/crl/crl.ts'
import { CrlDocument, readCrls } from '../../../src/pki/crl/document.ts'
import type { Issued } from '../../../src/pki/issued.ts'
import { context, element, sequence, TAG } from '../../../src/x509/der.ts'
import type { Extension } from '../../../src/x509/extensions.ts'
import { encodePem } from '../../../src/x509/pem.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { alice, ca, HOLD, judge, NONE, revoking, TIMES, twin } from './judging.ts'
import { crl, NOW, wrap } from '../revoking.ts'

const flag = (number: number): Buffer => element(context(number, 'primitive'), Buffer.of(0xff))
const uri = (text: string): Buffer => element(context(6, 'primitive'), Buffer.from(text))
const scope = (...parts: readonly Buffer[]): Extension => ({
  oid: '2.5.29.28',
  critical: true,
  value: sequence(...parts),
})
const points = (...names: readonly Buffer[]): Extension => ({
  oid: '2.5.29.31',
  critical: false,
  value: sequence(...names.map((name) => sequence(wrap(0, wrap(0, name))))),
})

describe('a CRL that covers a part of the certificates', () => {
  const authority: Extension = {
    oid: '2.5.29.19',
    critical: true,
    value: sequence(element(TAG.boolean, Buffer.of(0xff))),
  }
  const intermediate = ca.issued({ serial: 5, extensions: [authority] })
  const at = (text: string): Issued => ca.issued({ serial: 5, extensions: [points(uri(text))] })
  const shard = crl(ca, [], { extensions: [scope(wrap(0, wrap(0, uri('http://crl/1'))))] })
  const cases: readonly {
    readonly name: string
    readonly crl: Buffer
    readonly issued: Issued
    readonly want: string
  }[] = [
    {
      name: 'users only, for a user’s certificate',
      crl: crl(ca, [], { extensions: [scope(flag(1))] }),
      issued: alice,
      want: 'good',
    },
    {
      name: 'users only, for a CA’s certificate',
      crl: crl(ca, [], { extensions: [scope(flag(1))] }),
      issued: intermediate,
      want: NONE,
    },
    {
      name: 'CAs only, for a user’s certificate',
      crl: crl(ca, [], { extensions: [scope(flag(2))] }),
      issued: alice,
      want: NONE,
    },
    {
      name: 'CAs only, for a CA’s certificate',
      crl: crl(ca, [], { extensions: [scope(flag(2))] }),
      issued: intermediate,
      want: 'good',
    },
    {
      name: 'one distribution point, for a certificate that names it',
      crl: shard,
      issued: at('http://crl/1'),
      want: 'good',
    },
    {
      name: 'one distribution point, for a certificate that names another',
      crl: shard,
      issued: at('http://crl/2'),
      want: NONE,
    },
    {
      name: 'one distribution point, for a certificate that names none',
      crl: shard,
      issued: alice,
      want: NONE,
    },
    {
      name: 'a distribution point relative to the issuer, for a certificate that names one by URL',
      crl: crl(ca, [], { extensions: [scope(wrap(0, wrap(1)))] }),
      issued: at('http://crl/1'),
      want: NONE,
    },
  ]
  for (const { name, crl: der, issued, want } of cases) {
    it(`${name}: ${want}`, async () => assert.equal(await judge([der], { issued }), want))
  }

  it('is completed only by a delta CRL of the same scope', async () => {
    const extensions = [scope(flag(1))]
    const complete = crl(ca, [], { extensions })
    const same = crl(ca, [{ serial: 5 }], { base: 7, number: 8, extensions })
    const other = crl(ca, [{ serial: 5 }], { base: 7, number: 8 })
    assert.equal(await judge([complete, same]), 'revoked')
    assert.equal(await judge([complete, other]), 'good')
  })
})

describe('a CRL that cannot be used', () => {
  const critical: Extension = { oid: '1.2.3.4', critical: true, value: element(0x05) }
  const cases: readonly { readonly name: string; readonly der: () => Buffer }[] = [
    { name: 'is an indirect CRL', der: () => crl(ca, [], { extensions: [scope(flag(4))] }) },
    {
      name: 'covers attribute certificates only',
      der: () => crl(ca, [], { extensions: [scope(flag(5))] }),
    },
    {
      name: 'covers some reasons only',
      der: () =>
        crl(ca, [], {
          extensions: [scope(element(context(3, 'primitive'), Buffer.of(1, 0x40)))],
        }),
    },
    {
      name: 'covers neither users nor CAs',
      der: () => crl(ca, [], { extensions: [scope(flag(1), flag(2))] }),
    },
    {
      name: 'has an unknown critical extension',
      der: () => crl(ca, [], { extensions: [critical] }),
    },
    { name: 'names two signature algorithms', der: () => crl(ca, [], { misnamed: true }) },
    { name: 'has no nextUpdate', der: () => crl(ca, [], { nextUpdate: null }) },
    { name: 'is not a CRL', der: () => ca.der },
    { name: 'has bytes after its end', der: () => Buffer.concat([crl(ca, []), Buffer.of(0)]) },
    { name: 'is a text without PEM', der: () => Buffer.from('<html>') },
    { name: 'is an empty file', der: () => Buffer.alloc(0) },
  ]
  for (const { name, der } of cases) {
    it(name, () => assert.throws(() => readCrls(der()), { code: 'malformed-certificate' }))
  }

  it('has an entry with an unknown critical extension, such as of another issuer', async () => {
    const der = crl(ca, [{ serial: 9, extensions: [critical] }])
    await assert.rejects(judge([der]), { code: 'malformed-certificate' })
  })

  it('is truncated at any byte', () => {
    const whole = crl(ca, revoking(5, HOLD))
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => new CrlDocument(whole.subarray(0, length)), {
        code: 'malformed-certificate',
      })
    }
  })

  it('has one changed bit, at any position: proves nothing', async () => {
    const whole = crl(ca, revoking(5))
    const outcomes = new Set<string>()
    for (let at = 0; at < whole.length * 8; at++) {
      const bent = Buffer.from(whole)
      bent[at >> 3] = (bent[at >> 3] ?? 0) ^ (1 << (at & 7))
      try {
        outcomes.add(await judge([bent]))
      } catch {
        outcomes.add('malformed')
      }
    }
    assert.ok(!outcomes.has('good') && !outcomes.has('revoked'))
  })
})

describe('the entries of a CRL', () => {
  it('are proven by the key that signed them, where the issuer’s name is the same', async () => {
    const mine = new CrlDocument(crl(ca, revoking(5)))
    assert.deepEqual(await mine.entriesBy(twin.issuer), undefined)
    assert.equal((await mine.entriesBy(ca.issuer))?.revoked.size, 2)
    assert.deepEqual(mine.provenBy, [ca.issuer])
    // Another certificate of the CA, with the same name and key, which may sign no CRLs.
    assert.equal(await mine.entriesBy({ ...ca.issuer, signsCrls: false }), undefined)
    const renamed = new CrlDocument(crl(ca, [], { name: 'Other CA' }))
    assert.equal(await renamed.entriesBy(ca.issuer), undefined)
  })
})

describe('a file of CRLs', () => {
  it('may be PEM with several CRLs', () => {
    const text = [crl(ca, []), crl(twin, [])]
      .map((der) => encodePem('X509 CRL', der))
      .join('text\n')
    assert.equal(readCrls(Buffer.from(text)).length, 2)
  })

  it('may hold 64 CRLs in PEM; a file with more is refused before any is read', () => {
    const block = encodePem('X509 CRL', crl(ca, []))
    assert.equal(readCrls(Buffer.from(block.repeat(64))).length, 64)
    const broken = encodePem('X509 CRL', Buffer.from('no CRL'))
    assert.throws(() => readCrls(Buffer.from(broken + block.repeat(64))), {
      code: 'malformed-certificate',
      message: /more than 64 CRLs in PEM/,
    })
  })
})

describe('a CRL with 100,000 entries', () => {
  it('is searched by serial number, and leaves the event loop free while it is read', async () => {
    const entries = Array.from({ length: 100_000 }, (_, index) => ({ serial: 2 ** 40 + 2 * index }))
    const source = new CrlSource({
      files: readCrls(crl(ca, entries)),
      remote: [],
      ...TIMES,
      clock: new FakeClock(NOW),
    })
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    const { signal } = new AbortController()
    const statuses = await Promise.all(
      [2 ** 40, 2 ** 40 + 199_998, 2 ** 40 + 199_999].map((serial) =>
        source.status(ca.issued({ serial }), signal),
      ),
    )
    clearInterval(timer)
    assert.deepEqual(
      statuses.map(({ outcome }) => outcome),
      ['revoked', 'revoked', 'good'],
    )
    assert.ok(turns > 3, `${turns}`)
  })
})
