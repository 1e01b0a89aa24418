// The last look at a certificate finds whatever is not as it was granted.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { readAuthorityChain } from '../../src/ca/authority-certificate.ts'
import type { CertificateAuthority } from '../../src/ca/certificate-authority.ts'
import { mint, randomSerial, type Minting } from '../../src/ca/mint.ts'
import { issuedFault } from '../../src/ca/verify-issued.ts'
import { keyUsage, type Extension } from '../../src/x509/extensions.ts'
import { RemoteCa } from '../fakes/certificate-authority.ts'
import { grantOf, NOW_S, subjectOf } from '../fakes/grant.ts'
import { fileCaOf, makeCa } from './authorities.ts'
import { withExtensions } from './limits-cases.ts'

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = (pair: typeof key): Buffer => pair.publicKey.export({ type: 'spki', format: 'der' })

const serial = randomSerial()
const mintingFor = (authority: CertificateAuthority, changes: Partial<Minting> = {}): Minting => ({
  grant: grantOf(),
  authority,
  serial,
  publicKey: spki(key),
  ...changes,
})

const extra: Extension = { oid: '1.2.3.4', critical: false, value: Buffer.from('0500', 'hex') }

describe('the check of an issued certificate', async () => {
  const authority = fileCaOf(await makeCa())
  const minting = mintingFor(authority)

  it('accepts a correct one', async () => {
    assert.equal(issuedFault(await mint(minting), minting, key.privateKey), undefined)
  })

  const OTHERS: readonly { name: string; made: Partial<Minting>; want: RegExp }[] = [
    {
      name: 'another subject',
      made: { grant: grantOf({ subject: subjectOf(['CN', 'bob']) }) },
      want: /its subject/,
    },
    { name: 'another serial number', made: { serial: randomSerial() }, want: /its serial number/ },
    {
      name: 'another notBefore time',
      made: { grant: grantOf({ notBefore: NOW_S - 301 }) },
      want: /its notBefore/,
    },
    {
      name: 'another notAfter time',
      made: { grant: grantOf({ notAfter: NOW_S + 3_601 }) },
      want: /its notAfter/,
    },
    { name: 'another key', made: { publicKey: spki(other) }, want: /its key is another/ },
    {
      name: 'an additional extension',
      made: { grant: grantOf(withExtensions(extra)) },
      want: /its key identifiers/,
    },
    {
      name: 'a missing extension',
      made: { grant: grantOf({ extensions: grantOf().extensions.slice(1) }) },
      want: /its extensions/,
    },
    {
      name: 'another key usage',
      made: {
        grant: grantOf({
          extensions: [keyUsage(['keyAgreement']), ...grantOf().extensions.slice(1)],
        }),
      },
      want: /its extensions/,
    },
    {
      name: 'another order of extensions',
      made: { grant: grantOf({ extensions: grantOf().extensions.toReversed() }) },
      want: /its extensions/,
    },
    {
      name: 'a critical extension',
      made: {
        grant: grantOf({
          extensions: grantOf().extensions.map((extension) => ({ ...extension, critical: true })),
        }),
      },
      want: /its extensions/,
    },
    {
      name: 'a CA certificate',
      made: {
        grant: grantOf({
          extensions: [
            keyUsage(['keyCertSign']),
            { oid: '2.5.29.19', critical: true, value: Buffer.from('30030101ff', 'hex') },
          ],
        }),
      },
      want: /it is a CA/,
    },
  ]
  for (const { name, made, want } of OTHERS) {
    it(`refuses ${name}`, async () => {
      const certificate = await mint(mintingFor(authority, made))
      assert.match(issuedFault(certificate, minting, key.privateKey) ?? '', want)
    })
  }

  it('refuses another CA of the same name', async () => {
    const certificate = await mint(mintingFor(fileCaOf(await makeCa())))
    assert.match(issuedFault(certificate, minting, key.privateKey) ?? '', /not of the CA/)
  })

  it('refuses a signature over other bytes', async () => {
    const ca = await makeCa()
    const remote = new RemoteCa(
      readAuthorityChain(ca.certificate, NOW_S * 1_000).certificate,
      ca.key,
    )
    remote.conduct = 'signs-something-else'
    const remoteMinting = mintingFor(remote)
    const fault = issuedFault(await mint(remoteMinting), remoteMinting, key.privateKey)
    assert.equal(fault, 'its signature does not hold')
  })

  it('refuses an extension that occurs twice', async () => {
    const twofold = mintingFor(authority, { grant: grantOf(withExtensions(extra, extra)) })
    assert.match(issuedFault(await mint(twofold), twofold, key.privateKey) ?? '', /cannot be read/)
  })

  it('refuses what is not a certificate', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('3000', 'hex'), Buffer.alloc(1_000, 0x30)]) {
      assert.equal(issuedFault(bytes, minting, key.privateKey), 'it cannot be read')
    }
  })

  it('refuses any changed bit', async () => {
    const certificate = await mint(minting)
    for (let bit = 0; bit < certificate.length * 8; bit += 13) {
      const changed = Buffer.from(certificate)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.notEqual(issuedFault(changed, minting, key.privateKey), undefined, `bit ${bit}`)
    }
  })
})
