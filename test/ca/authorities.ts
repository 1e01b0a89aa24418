// CAs for the tests of the signer, in memory, made by another library than the one under test. They
// are valid for a time that the fake clock is within, whatever the day of the test.

import { KeyObject, randomBytes } from 'node:crypto'
import { readAuthorityChain } from '../../src/ca/authority-certificate.ts'
import { FileCa } from '../../src/ca/file-ca.ts'
import { x509 } from '../servers/x509.ts'

const EC = { name: 'ECDSA' } as const
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
} as const

/** Kinds of CA keys: how to make one, and how it signs. */
export const CA_KEYS = {
  p256: { ...EC, namedCurve: 'P-256', hash: 'SHA-256' },
  p384: { ...EC, namedCurve: 'P-384', hash: 'SHA-384' },
  p521: { ...EC, namedCurve: 'P-521', hash: 'SHA-512' },
  ed25519: { name: 'Ed25519' },
  rsa2048: { ...RSA, modulusLength: 2_048 },
  rsa3072: { ...RSA, modulusLength: 3_072 },
  rsa1024: { ...RSA, modulusLength: 1_024 },
} as const

/** What a CA is to be like. */
export interface TestCaOptions {
  readonly kind?: keyof typeof CA_KEYS
  readonly subject?: string | x509.Name
  /** Absent: self-signed. */
  readonly issuer?: TestCa
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Absent: those of a CA. */
  readonly extensions?: readonly x509.Extension[]
}

/** A CA. */
export interface TestCa {
  readonly name: x509.Name
  readonly keys: CryptoKeyPair
  readonly kind: keyof typeof CA_KEYS
  /** PEM. */
  readonly certificate: string
  readonly key: KeyObject
}

/** A fake clock starts within this time, and so does the test. */
const NOT_BEFORE = new Date('2025-01-01T00:00:00Z')
const NOT_AFTER = new Date('2045-01-01T00:00:00Z')

/** Makes a CA. */
export const makeCa = async (options: TestCaOptions = {}): Promise<TestCa> => {
  const { kind = 'p256', subject = 'CN=Test CA', issuer, extensions } = options
  const keys = await crypto.subtle.generateKey(CA_KEYS[kind], true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new TypeError('not a pair')
  const name = typeof subject === 'string' ? new x509.Name(subject) : subject
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    subject: name,
    issuer: issuer?.name ?? name,
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: CA_KEYS[issuer?.kind ?? kind],
    notBefore: options.notBefore ?? NOT_BEFORE,
    notAfter: options.notAfter ?? NOT_AFTER,
    extensions: [...(extensions ?? (await authorityExtensions(keys.publicKey, issuer)))],
  })
  return {
    name,
    keys,
    kind,
    certificate: `${certificate.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey),
  }
}

const authorityExtensions = async (
  key: CryptoKey,
  issuer: TestCa | undefined,
): Promise<readonly x509.Extension[]> => [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  await x509.SubjectKeyIdentifierExtension.create(key),
  ...(issuer === undefined
    ? []
    : [await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)]),
]

/** The CA as the signer has it, with the certificates above it. */
export const fileCaOf = (ca: TestCa, ...above: readonly TestCa[]): FileCa => {
  const pem = [ca, ...above].map(({ certificate }) => certificate).join('')
  return new FileCa(readAuthorityChain(pem, NOT_BEFORE.getTime()), ca.key)
}
