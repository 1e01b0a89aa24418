// The same certificates by @peculiar/x509: what it would cost not to write DER ourselves.

import { readCertificate } from '../../src/x509/certificate.ts'
import { decodePem } from '../../src/x509/pem.ts'
import { CA_KEYS } from '../../test/ca/authorities.ts'
import { x509 } from '../../test/servers/x509.ts'
import type { MintingQuestion } from '../certificates/minting.ts'
import { GROUPS } from '../site.ts'
import type { Job, Workshop } from './mint-workshop.ts'

/** Makes the certificate of a job once more: DER, signature, PEM of it and of its key. */
export type LibraryMint = (job: Job) => Promise<string>

/** Makes the keys, and sees that both make the same of a job. */
export const libraryMint = async (
  { ca, jobs }: Workshop,
  algorithm: MintingQuestion['algorithm'],
): Promise<LibraryMint> => {
  const keys = await crypto.subtle.generateKey(CA_KEYS[algorithm], true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new TypeError('not a pair')
  const authorityKey = await x509.AuthorityKeyIdentifierExtension.create(ca.keys.publicKey)
  const make: LibraryMint = async ({ user, minting: { grant, serial } }) => {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString('hex'),
      subject: new x509.Name([
        attribute('CN', user),
        ...GROUPS.map((group) => attribute('O', group)),
      ]),
      issuer: ca.name,
      notBefore: new Date(grant.notBefore * 1_000),
      notAfter: new Date(grant.notAfter * 1_000),
      publicKey: keys.publicKey,
      signingKey: ca.keys.privateKey,
      signingAlgorithm: CA_KEYS[ca.kind],
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
        new x509.BasicConstraintsExtension(false, undefined, true),
        authorityKey,
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
    return `${certificate.toString('pem')}\n${x509.PemConverter.encode(key, 'PRIVATE KEY')}`
  }
  const [first] = jobs
  if (first !== undefined) requireSame(first, await make(first))
  return make
}

// As a UTF8String, as Countersign writes it; a PrintableString is the library's choice where it can be.
const attribute = (name: string, utf8String: string) => ({ [name]: [{ utf8String }] })

/** Both have the same subject and the same extensions, except those that depend on the key. */
const requireSame = ({ certificate }: Job, pem: string): void => {
  const [ours, theirs] = [certificate, ...decodePem('CERTIFICATE', pem)].map(readCertificate)
  const summaryOf = (parts: typeof ours): string =>
    JSON.stringify([
      parts?.subject.toString('hex'),
      parts?.notAfter,
      parts?.extensions.map(({ oid, critical }) => [oid, critical]),
    ])
  if (summaryOf(ours) !== summaryOf(theirs)) {
    throw new Error('the library makes another certificate than Countersign')
  }
}
