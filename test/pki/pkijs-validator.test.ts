// What pkijs judges of a path by its own reading, whatever was judged before it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readChainCertificate, type ChainCertificate } from '../../src/pki/chain-certificate.ts'
import { isValidToo } from '../../src/pki/pkijs-validator.ts'
import { context, element, sequence } from '../../src/x509/der.ts'
import { certificatePolicies, type Extension } from '../../src/x509/extensions.ts'
import { ROOT, under, type Chain } from './chains.ts'
import { DAY, makeAuthority, makeClient, nameOf, NOW } from './making.ts'

const OTHER = makeAuthority({ subject: 'other' })
const POLICY = certificatePolicies(['1.3.6.1.4.1.99999.2'])
const REQUIRED: Extension = {
  oid: '2.5.29.36',
  critical: true,
  value: sequence(element(context(0, 'primitive'), Buffer.of(0))),
}
const strict = { extensions: [POLICY, REQUIRED] }
/** With a BOOLEAN where a SEQUENCE of policies belongs. */
const BROKEN: Extension = { ...POLICY, value: element(0x01, Buffer.of(0xff)) }

const cases: readonly {
  readonly name: string
  readonly chain: Chain
  readonly at?: number
  readonly want: boolean
}[] = [
  { name: 'a plain one', chain: under({}), want: true },
  {
    name: 'a leaf whose subject has many attributes',
    chain: under({}, { subject: nameOf(['C', 'CH'], ['O', 'one'], ['O', 'two'], ['CN', 'alice']) }),
    want: true,
  },
  {
    name: 'a leaf that is expired',
    chain: under({}, { notAfter: NOW + DAY }),
    at: NOW + 2 * DAY,
    want: false,
  },
  {
    name: 'a leaf with dates as GeneralizedTime, within them',
    chain: under({}, { notAfter: Date.UTC(2060, 0, 1) / 1_000 }),
    want: true,
  },
  {
    name: 'a leaf that is not valid yet',
    chain: under({}, { notBefore: NOW + DAY }),
    at: NOW,
    want: false,
  },
  { name: 'an expired CA', chain: under({ notAfter: NOW + DAY }), at: NOW + 2 * DAY, want: false },
  {
    name: 'a leaf that names another issuer',
    chain: under({}, { issuer: OTHER.name }),
    want: false,
  },
  {
    name: 'a CA that requires a policy, and a leaf with it',
    chain: under(strict, { extensions: [POLICY] }),
    want: true,
  },
  {
    name: 'a CA that requires a policy, and a leaf without it',
    chain: under(strict, {}),
    want: false,
  },
  {
    name: 'a CA that requires a policy, and a leaf with another one',
    chain: under(strict, { extensions: [certificatePolicies(['1.3.6.1.4.1.99999.3'])] }),
    want: false,
  },
  {
    name: 'a leaf with policies that cannot be read',
    chain: under(strict, { extensions: [BROKEN] }),
    want: false,
  },
  {
    name: 'a CA that is not one',
    chain: { leaf: makeClient({ signer: OTHER }), others: [makeClient({})], anchors: [ROOT] },
    want: false,
  },
]

describe('pkijs', () => {
  for (const { name, chain, at = NOW, want } of cases) {
    it(`${want ? 'accepts' : 'rejects'} ${name}`, async () => {
      const { leaf, others = [], anchors } = chain
      const path = [leaf, ...others, ...anchors].map(({ der }) => readChainCertificate(der))
      // Read for the first time, and from what is kept.
      for (let round = 0; round < 2; round++) {
        assert.equal(await isValidToo(path, at * 1_000), want)
      }
    })
  }

  it('rejects a leaf with dates that OpenSSL reads in another way', async () => {
    const { leaf, anchors } = under({})
    const [first, ...others] = [leaf, ...anchors].map(({ der }) => readChainCertificate(der))
    assert.ok(first)
    const { parts } = first
    for (const other of [{ notBefore: parts.notBefore - 1 }, { notAfter: parts.notAfter + 1 }]) {
      const altered: ChainCertificate = { ...first, parts: { ...parts, ...other } }
      assert.equal(await isValidToo([altered, ...others], NOW * 1_000), false)
    }
  })
})
