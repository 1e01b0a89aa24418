// What CRLs prove of a certificate: complete ones, and deltas.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrlSource } from '../../../src/pki/crl/crl.ts'
import { CrlDocument, readCrls } from '../../../src/pki/crl/document.ts'
import { judgeByCrls } from '../../../src/pki/crl/judgement.ts'
import { keyUsage, notAuthority } from '../../../src/x509/extensions.ts'
import { FakeClock } from '../../fakes/clock.ts'
import {
  alice,
  ca,
  HOLD,
  judge,
  NONE,
  OLD,
  REMOVE_FROM_CRL,
  revoking,
  TIMES,
  twin,
  UNPROVEN,
} from './judging.ts'
import {
  Authority,
  crl,
  DAY,
  HOUR,
  MINUTE,
  NOW,
  type CrlEntry,
  type CrlOptions,
} from '../revoking.ts'
import { sourceConformance } from '../../authenticate/certificate/source-conformance.ts'

sourceConformance('CRLs', async () => {
  const clock = new FakeClock(NOW)
  const files = readCrls(crl(ca, revoking(99)))
  return {
    source: new CrlSource({ files, remote: [], ...TIMES, clock }),
    silent: new CrlSource({ files: [], remote: [], ...TIMES, clock }),
    now: NOW,
    good: alice,
    revoked: ca.issued({ serial: 99 }),
    stranger: new Authority('Other CA').issued({ serial: 5 }),
    impostor: twin.issued({ serial: 5 }),
    async [Symbol.asyncDispose]() {},
  }
})

describe('a certificate, by a CRL', () => {
  const cases: readonly {
    readonly name: string
    readonly crls: readonly Buffer[]
    readonly want: string
    readonly options?: Parameters<typeof judge>[1]
  }[] = [
    { name: 'that lists another certificate', crls: [crl(ca, revoking(6))], want: 'good' },
    { name: 'without entries', crls: [crl(ca, [])], want: 'good' },
    { name: 'that lists the certificate', crls: [crl(ca, revoking(5))], want: 'revoked' },
    {
      name: 'that lists the certificate as on hold',
      crls: [crl(ca, revoking(5, HOLD))],
      want: 'revoked',
    },
    { name: 'where there is none', crls: [], want: NONE },
    { name: 'of another issuer', crls: [crl(new Authority('Other CA'), [])], want: NONE },
    {
      name: 'of an issuer of the same name with another key',
      crls: [crl(twin, [])],
      want: UNPROVEN,
    },
    {
      name: 'of an issuer of the same name with another key, that lists it',
      crls: [crl(twin, revoking(5)), crl(ca, [])],
      want: 'good',
    },
    {
      name: 'under the issuer’s name, signed with another key',
      crls: [crl(twin, [])],
      want: UNPROVEN,
    },
    { name: 'signed with SHA-1', crls: [crl(ca, [], { weak: true })], want: UNPROVEN },
    {
      name: 'whose nextUpdate has passed',
      crls: [crl(ca, [], { nextUpdate: NOW - MINUTE })],
      want: OLD,
    },
    {
      name: 'whose nextUpdate has passed, within the grace',
      crls: [crl(ca, [], { nextUpdate: NOW - HOUR })],
      want: 'good',
      options: { grace: HOUR },
    },
    {
      name: 'whose nextUpdate has passed, that lists it',
      crls: [crl(ca, revoking(5), { nextUpdate: NOW - DAY })],
      want: 'revoked',
    },
    {
      name: 'whose thisUpdate is in the future',
      crls: [crl(ca, [], { thisUpdate: NOW + 2 * MINUTE, nextUpdate: NOW + DAY })],
      want: UNPROVEN,
    },
    {
      name: 'that a newer CRL replaces',
      crls: [crl(ca, [], { thisUpdate: NOW - HOUR }), crl(ca, revoking(5))],
      want: 'revoked',
    },
    {
      name: 'that a newer CRL replaces, read in the reverse order',
      crls: [crl(ca, revoking(5)), crl(ca, [], { thisUpdate: NOW - HOUR })],
      want: 'revoked',
    },
  ]
  for (const { name, crls, want, options } of cases) {
    it(`${name}: ${want}`, async () => assert.equal(await judge(crls, options), want))
  }

  it('of an issuer whose key usage lacks cRLSign has no proven status', async () => {
    const unfit = new Authority('Unfit CA', { extensions: [keyUsage(['keyCertSign'])] })
    assert.equal(await judge([crl(unfit, [])], { issued: unfit.issued() }), UNPROVEN)
  })

  it('of an issuer without key usage is good', async () => {
    const silent = new Authority('Silent CA', { extensions: [notAuthority] })
    assert.equal(await judge([crl(silent, [])], { issued: silent.issued() }), 'good')
  })

  it('is valid until the nextUpdate of the CRL or of its delta, whichever is earlier', async () => {
    const documents = [crl(ca, []), crl(ca, [], { base: 7, number: 8, nextUpdate: NOW + MINUTE })]
    const status = await judgeByCrls(
      documents.map((der) => new CrlDocument(der)),
      alice,
      TIMES,
      NOW,
    )
    assert.deepEqual(status, { outcome: 'good', until: NOW + 2 * MINUTE })
  })

  it('is found by a serial number of any length', async () => {
    const serials = [1, 127, 128, 255, 256, 65_535, 2 ** 31, 2 ** 48 + 1]
    const list = crl(
      ca,
      serials.map((serial) => ({ serial })),
    )
    for (const serial of serials) {
      assert.equal(await judge([list], { issued: ca.issued({ serial }) }), 'revoked', `${serial}`)
      assert.equal(await judge([list], { issued: ca.issued({ serial: serial + 1_000 }) }), 'good')
    }
  })
})

describe('a certificate, by a CRL and a delta CRL', () => {
  const held = crl(ca, revoking(5, HOLD))
  const delta = (entries: readonly CrlEntry[], options: CrlOptions = {}): Buffer =>
    crl(ca, entries, { base: 7, number: 9, ...options })
  const removing = [{ serial: 5, reason: REMOVE_FROM_CRL }]
  const cases: readonly {
    readonly name: string
    readonly crls: readonly Buffer[]
    readonly want: string
  }[] = [
    { name: 'that lists it', crls: [crl(ca, []), delta(revoking(5))], want: 'revoked' },
    { name: 'that removes it, having been on hold', crls: [held, delta(removing)], want: 'good' },
    {
      name: 'that does not mention it, while it is on hold',
      crls: [held, delta([])],
      want: 'revoked',
    },
    {
      name: 'whose base is older than the complete CRL',
      crls: [held, delta(removing, { base: 3 })],
      want: 'good',
    },
    {
      name: 'whose base is newer than the complete CRL',
      crls: [held, delta(removing, { base: 8 })],
      want: 'revoked',
    },
    {
      name: 'that is not newer than the complete CRL',
      crls: [held, delta(removing, { base: 3, number: 7 })],
      want: 'revoked',
    },
    {
      name: 'signed with another key',
      crls: [held, crl(twin, removing, { base: 7, number: 9 })],
      want: 'revoked',
    },
    {
      name: 'whose nextUpdate has passed',
      crls: [held, delta(removing, { nextUpdate: NOW - MINUTE })],
      want: 'revoked',
    },
    {
      name: 'that is current, while the complete CRL’s nextUpdate has passed',
      crls: [crl(ca, [], { nextUpdate: NOW - DAY }), delta([])],
      want: OLD,
    },
    { name: 'without the complete CRL', crls: [delta([])], want: NONE },
    {
      name: 'of several, of which the newest is used',
      crls: [held, delta(removing, { thisUpdate: NOW - HOUR }), delta(revoking(5), { number: 10 })],
      want: 'revoked',
    },
    {
      name: 'that both removes and adds it',
      crls: [held, delta([...removing, { serial: 5 }])],
      want: 'revoked',
    },
  ]
  for (const { name, crls, want } of cases) {
    it(`${name}: ${want}`, async () => assert.equal(await judge(crls), want))
  }

  it('cannot be removed by an entry of a complete CRL', async () => {
    await assert.rejects(judge([crl(ca, removing)]), { code: 'malformed-certificate' })
  })
})
