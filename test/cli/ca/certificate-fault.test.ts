// That a certificate which differs from what was requested is found, whatever it is that differs.

import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { createAuthority } from '../../../src/cli/ca/authority.ts'
import { certificateFault, type Requested } from '../../../src/cli/ca/certificate-fault.ts'
import { certify } from '../../../src/cli/ca/certify.ts'
import { newKey, publicKeyDer } from '../../../src/cli/ca/keys.ts'
import type { Template } from '../../../src/cli/ca/template.ts'
import { readChainCertificate } from '../../../src/pki/chain-certificate.ts'
import { ATTRIBUTES, PURPOSES } from '../../../src/x509/oid.ts'

const NOW = Math.floor(Date.now() / 1_000)

const publicKeyOf = async (): Promise<Buffer> =>
  publicKeyDer(createPublicKey(await newKey('ec-p256')))

const otherKey = await publicKeyOf()
const authority = await createAuthority({ commonName: 'CA' })
const other = await createAuthority({ commonName: 'CA' })
const template: Template = {
  subject: [{ oid: ATTRIBUTES.CN, value: 'a.example.org' }],
  names: [
    { kind: 'dns', value: 'a.example.org' },
    { kind: 'ip', value: '192.0.2.1' },
  ],
  usages: ['digitalSignature'],
  purposes: [PURPOSES.serverAuth],
  notBefore: NOW,
  notAfter: NOW + 3_600,
  publicKey: await publicKeyOf(),
}
const der = await certify(template, authority)
const requested: Requested = {
  template,
  issuer: authority,
  issuerKey: publicKeyDer(createPublicKey(authority.key)),
  serial: readChainCertificate(der).parts.serialNumber,
}

describe('the comparison of a certificate with its template', () => {
  it('accepts what was requested', async () => {
    assert.equal(await certificateFault(der, requested), undefined)
  })

  const CHANGES: readonly { name: string; change: Partial<Template>; want: string }[] = [
    {
      name: 'another user in it',
      change: { subject: [{ oid: ATTRIBUTES.CN, value: 'b' }] },
      want: 'its subject',
    },
    {
      name: 'an O in place of the CN',
      change: { subject: [{ oid: ATTRIBUTES.O, value: 'a.example.org' }] },
      want: 'its subject',
    },
    { name: 'a missing name', change: { names: [] }, want: 'its subjectAltName' },
    {
      name: 'the names in another order',
      change: { names: template.names.toReversed() },
      want: 'its subjectAltName',
    },
    { name: 'another key usage', change: { usages: ['keyAgreement'] }, want: 'its keyUsage' },
    {
      name: 'another purpose',
      change: { purposes: [PURPOSES.clientAuth] },
      want: 'its extendedKeyUsage',
    },
    { name: 'a later end of validity', change: { notAfter: NOW + 3_601 }, want: 'its notAfter' },
    { name: 'an earlier begin of validity', change: { notBefore: NOW - 1 }, want: 'its notBefore' },
    { name: 'CA:TRUE', change: { authority: { pathLength: 0 } }, want: 'its basicConstraints' },
    { name: 'another key', change: { publicKey: otherKey }, want: 'its public key' },
  ]
  for (const { name, change, want } of CHANGES) {
    it(`refuses a certificate with ${name}`, async () => {
      const different = { ...requested, template: { ...template, ...change } }
      assert.equal(await certificateFault(der, different), want)
    })
  }

  it('refuses another serial number', async () => {
    const serial = Buffer.alloc(20, 0x41)
    assert.equal(await certificateFault(der, { ...requested, serial }), 'its serial number')
  })

  it('refuses the signature of another CA of the same name', async () => {
    const issuer = { ...authority, keyIdentifier: other.keyIdentifier }
    assert.equal(await certificateFault(der, { ...requested, issuer }), 'its key identifiers')
    const issuerKey = publicKeyDer(createPublicKey(other.key))
    assert.equal(await certificateFault(der, { ...requested, issuerKey }), 'its signature')
  })

  it('refuses one changed bit, at any position', async () => {
    for (let at = 0; at < der.length; at += 7) {
      const changed = Buffer.from(der)
      changed[at] = (changed[at] ?? 0) ^ 0x01
      assert.notEqual(await certificateFault(changed, requested), undefined, `byte ${at}`)
    }
  })
})
