// Certificate signing requests (PKCS#10, RFC 2986). What a request asks for is shown and never copied.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { isStrongKey } from '../../pki/strength.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Attribute } from '../../x509/name.ts'
import { decodePem } from '../../x509/pem.ts'
import { usageError } from '../usage-error.ts'
import { namesExtension, nameOf } from './certify.ts'
import { signingKey } from './keys.ts'
import type { AlternativeName } from './template.ts'
import { alternativeNameTexts, nameText } from './summary.ts'
import { x509 } from './x509.ts'

/** A request whose signature holds, which proves possession of the private key. */
export interface ProvenRequest {
  readonly publicKey: KeyObject
  /** What it requests, as text; certified only where the command line repeats it. */
  readonly subject: string
  readonly names: readonly string[]
}

// RFC 7468 §7: with "NEW" as older tools write it.
const LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'] as const

// An RSA key of 8,192 bits and a hundred names have some 8 KB.
const LONGEST_REQUEST = 65_536

// SHA-1 and MD5 prove nothing. Ed25519 has a hash of its own.
const HASHES: ReadonlySet<string | undefined> = new Set([
  'SHA-256',
  'SHA-384',
  'SHA-512',
  undefined,
])

/** Makes a request, and reads it back. The result is PEM. */
export const createRequest = async (
  subject: readonly Attribute[],
  names: readonly AlternativeName[],
  key: KeyObject,
): Promise<string> => {
  const { privateKey, publicKey, algorithm } = signingKey(key)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [namesExtension(names)],
  })
  const pem = `${request.toString('pem')}\n`
  await readRequest(pem, 'the new request')
  return pem
}

/**
 * Reads a request and proves possession of its key.
 *
 * @param file its path, for messages
 * @throws CountersignError `usage`
 */
export const readRequest = async (pem: string, file: string): Promise<ProvenRequest> => {
  if (pem.length > LONGEST_REQUEST) {
    throw usageError(`${file}: a certificate request has ${LONGEST_REQUEST} bytes at most`)
  }
  const [der, ...more] = LABELS.flatMap((label) => decodePem(label, pem))
  if (der === undefined || more.length > 0) {
    throw usageError(
      `${file}: must hold one certificate request in PEM; it holds ${more.length + (der === undefined ? 0 : 1)}`,
    )
  }
  let proven: ProvenRequest
  let isProven: boolean
  try {
    const request = new x509.Pkcs10CertificateRequest(der)
    const key = Buffer.from(request.publicKey.rawData)
    proven = {
      publicKey: createPublicKey({ key, format: 'der', type: 'spki' }),
      subject: nameText(request.subjectName),
      names: alternativeNameTexts(request.extensions),
    }
    isProven = (await request.verify()) && HASHES.has(request.signatureAlgorithm.hash?.name)
  } catch (cause) {
    throw usageError(`${file}: the certificate request cannot be read: ${describeError(cause)}`)
  }
  if (!isProven) {
    throw usageError(
      `${file}: the signature of the request does not hold by its own key, which proves no possession of the key. Request a new one from its owner, signed with SHA-256 or better`,
    )
  }
  if (!isStrongKey(proven.publicKey)) {
    throw usageError(
      `${file}: the key is too weak or of an unknown kind; ask for EC P-256, P-384 or P-521, Ed25519, or RSA from 2048 bits`,
    )
  }
  return proven
}
