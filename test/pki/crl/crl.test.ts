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

describe('a CRL', () => {
  const cases: readonly {
    readonly name: string
    readonly crls: readonly Buffer[]
    readonly want: string
    readonly options?: Parameters<typeof judge>[1]
  }[] = [
    { name: 'that lists somebody else', crls: [crl(ca, revoking(6))], want: 'good' },
    { name: 'that lists nobody', crls: [crl(ca, [])], want: 'good' },
    { name: 'that lists the certificate', crls: [crl(ca, revoking(5))], want: 'revoked' },
    { name: 'that has it on hold', crls: [crl(ca, revoking(5, HOLD))], want: 'revoked' },
    { name: 'of nobody', crls: [], want: NONE },
    { name: 'of another issuer', crls: [crl(new Authority('Other CA'), [])], want: NONE },
    { name: 'of an issuer of the same name', crls: [crl(twin, [])], want: UNPROVEN },
    {
      name: 'of an issuer of the same name, that lists it',
      crls: [crl(twin, revoking(5)), crl(ca, [])],
      want: 'good',
    },
    { name: 'under the issuer’s name by somebody else', crls: [crl(twin, [])], want: UNPROVEN },
    { name: 'signed with SHA-1', crls: [crl(ca, [], { weak: true })], want: UNPROVEN },
    {
      name: 'out of date',
      crls: [crl(ca, [], { nextUpdate: NOW - MINUTE })],
      want: OLD,
    },
    {
      name: 'out of date, within the grace',
      crls: [crl(ca, [], { nextUpdate: NOW - HOUR })],
      want: 'good',
      options: { grace: HOUR },
    },
    {
      name: 'out of date, that lists it',
      crls: [crl(ca, revoking(5), { nextUpdate: NOW - DAY })],
      want: 'revoked',
    },
    {
      name: 'from the future',
      crls: [crl(ca, [], { thisUpdate: NOW + 2 * MINUTE, nextUpdate: NOW + DAY })],
      want: UNPROVEN,
    },
    {
      name: 'that a newer one has replaced',
      crls: [crl(ca, [], { thisUpdate: NOW - HOUR }), crl(ca, revoking(5))],
      want: 'revoked',
    },
    {
      name: 'that a newer one has replaced, in another order',
      crls: [crl(ca, revoking(5)), crl(ca, [], { thisUpdate: NOW - HOUR })],
      want: 'revoked',
    },
  ]
  for (const { name, crls, want, options } of cases) {
    it(`${name}: ${want}`, async () => assert.equal(await judge(crls, options), want))
  }

  it('of an issuer that may not sign any', async () => {
    const unfit = new Authority('Unfit CA', { extensions: [keyUsage(['keyCertSign'])] })
    assert.equal(await judge([crl(unfit, [])], { issued: unfit.issued() }), UNPROVEN)
  })

  it('of an issuer that does not say what its key is for', async () => {
    const silent = new Authority('Silent CA', { extensions: [notAuthority] })
    assert.equal(await judge([crl(silent, [])], { issued: silent.issued() }), 'good')
  })

  it('says how long it counts, the earlier of both', async () => {
    const documents = [crl(ca, []), crl(ca, [], { base: 7, number: 8, nextUpdate: NOW + MINUTE })]
    const status = await judgeByCrls(
      documents.map((der) => new CrlDocument(der)),
      alice,
      TIMES,
      NOW,
    )
    assert.deepEqual(status, { outcome: 'good', until: NOW + 2 * MINUTE })
  })

  it('with serial numbers of every length', async () => {
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

describe('a delta CRL', () => {
  const held = crl(ca, revoking(5, HOLD))
  const delta = (entries: readonly CrlEntry[], options: CrlOptions = {}): Buffer =>
    crl(ca, entries, { base: 7, number: 9, ...options })
  const removing = [{ serial: 5, reason: REMOVE_FROM_CRL }]
  const cases: readonly {
    readonly name: string
    readonly crls: readonly Buffer[]
    readonly want: string
  }[] = [
    { name: 'adds to its base', crls: [crl(ca, []), delta(revoking(5))], want: 'revoked' },
    { name: 'takes from it who is no longer on hold', crls: [held, delta(removing)], want: 'good' },
    { name: 'says nothing of who stays on hold', crls: [held, delta([])], want: 'revoked' },
    {
      name: 'of an older base that its base includes',
      crls: [held, delta(removing, { base: 3 })],
      want: 'good',
    },
    {
      name: 'for a base that is not there yet does not count',
      crls: [held, delta(removing, { base: 8 })],
      want: 'revoked',
    },
    {
      name: 'that its base is newer than does not count',
      crls: [held, delta(removing, { base: 3, number: 7 })],
      want: 'revoked',
    },
    {
      name: 'of another key does not count',
      crls: [held, crl(twin, removing, { base: 7, number: 9 })],
      want: 'revoked',
    },
    {
      name: 'out of date does not count',
      crls: [held, delta(removing, { nextUpdate: NOW - MINUTE })],
      want: 'revoked',
    },
    {
      name: 'does not help a base that is out of date',
      crls: [crl(ca, [], { nextUpdate: NOW - DAY }), delta([])],
      want: OLD,
    },
    { name: 'alone says nothing', crls: [delta([])], want: NONE },
    {
      name: 'the newest counts',
      crls: [held, delta(removing, { thisUpdate: NOW - HOUR }), delta(revoking(5), { number: 10 })],
      want: 'revoked',
    },
    {
      name: 'that takes and adds at once adds',
      crls: [held, delta([...removing, { serial: 5 }])],
      want: 'revoked',
    },
  ]
  for (const { name, crls, want } of cases) {
    it(`${name}: ${want}`, async () => assert.equal(await judge(crls), want))
  }

  it('is the only one that may take from a list', async () => {
    await assert.rejects(judge([crl(ca, removing)]), { code: 'malformed-certificate' })
  })
})
