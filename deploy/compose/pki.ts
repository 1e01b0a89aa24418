// Certificate authorities for a demonstration, and what they issue. For certificates of servers and
// of Envoy, which are made once; those of callers are the signer's to make.

import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { bitString, context, element, sequence, TAG, time, unsigned } from '../../src/x509/der.ts'
import {
  authorityKeyIdentifier,
  encodeExtension,
  extendedKeyUsage,
  keyUsage,
  notAuthority,
  subjectKeyIdentifier,
  type Extension,
} from '../../src/x509/extensions.ts'
import { encodeGeneralNames } from '../../src/x509/general-names.ts'
import { encodeName } from '../../src/x509/name.ts'
import { ATTRIBUTES, EXTENSIONS, oidElement, PURPOSES } from '../../src/x509/oid.ts'
import { encodePem } from '../../src/x509/pem.ts'

/** A certificate and its key, PEM. */
interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** What is to stand in a certificate. */
interface CertificateRequest {
  readonly commonName: string
  /** DNS names and IP addresses. */
  readonly names?: readonly string[]
  readonly purpose: 'serverAuth' | 'clientAuth'
}

/** A CA that signs with a key of its own. */
interface Authority extends KeyPair {
  issue(request: CertificateRequest): KeyPair
}

// RFC 5758 §3.2.
const ECDSA_WITH_SHA256 = sequence(oidElement('1.2.840.10045.4.3.2'))
const VERSION_3 = element(context(0, 'constructed'), unsigned(Buffer.of(2)))
const DAY = 86_400
const YEAR = 365 * DAY

// No CA stands below this one.
const authority: Extension = {
  oid: EXTENSIONS.basicConstraints,
  critical: true,
  value: sequence(element(TAG.boolean, Buffer.of(0xff)), unsigned(Buffer.of(0))),
}

/** Makes a CA. */
export const createAuthority = (commonName: string): Authority => {
  const { publicKey, privateKey } = newKeys()
  const issuer = nameOf(commonName)
  const identifier = identifierOf(publicKey)
  const certify = (subject: Buffer, key: KeyObject, extensions: readonly Extension[]): string =>
    signed(privateKey, { issuer, subject, key, extensions })
  const own = [authority, keyUsage(['keyCertSign', 'cRLSign']), subjectKeyIdentifier(identifier)]
  return {
    certificate: certify(issuer, publicKey, own),
    key: pemOf(privateKey),
    issue: (request) => {
      const keys = newKeys()
      const extensions = [...extensionsFor(request), authorityKeyIdentifier(identifier)]
      return {
        certificate: certify(nameOf(request.commonName), keys.publicKey, extensions),
        key: pemOf(keys.privateKey),
      }
    },
  }
}

const newKeys = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })

const nameOf = (commonName: string): Buffer =>
  encodeName([{ oid: ATTRIBUTES.CN, value: commonName }])

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

// RFC 7093 §2: the leftmost 160 bits of a SHA-256 hash.
const identifierOf = (key: KeyObject): Buffer =>
  createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20)

const extensionsFor = ({ names = [], purpose }: CertificateRequest): readonly Extension[] => [
  notAuthority,
  keyUsage(['digitalSignature']),
  extendedKeyUsage([PURPOSES[purpose]]),
  ...(names.length === 0 ? [] : [alternativeNames(names)]),
]

const alternativeNames = (names: readonly string[]): Extension => ({
  oid: EXTENSIONS.subjectAltName,
  critical: false,
  value: encodeGeneralNames(
    names.map((value) => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value })),
  ),
})

interface Contents {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly key: KeyObject
  readonly extensions: readonly Extension[]
}

/** The certificate (RFC 5280 §4.1), PEM. */
const signed = (by: KeyObject, { issuer, subject, key, extensions }: Contents): string => {
  const now = Math.floor(Date.now() / 1_000)
  const tbs = sequence(
    VERSION_3,
    unsigned(Buffer.concat([Buffer.of(1), randomBytes(15)])), // positive, at most 20 bytes
    ECDSA_WITH_SHA256,
    issuer,
    // Begun yesterday, since clocks of containers and their hosts differ.
    sequence(time(now - DAY), time(now + YEAR)),
    subject,
    spkiOf(key),
    element(context(3, 'constructed'), sequence(...extensions.map(encodeExtension))),
  )
  const signature = bitString(sign('sha256', tbs, by))
  return encodePem('CERTIFICATE', sequence(tbs, ECDSA_WITH_SHA256, signature))
}
