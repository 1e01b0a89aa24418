// A certificate authority in a folder: `ca.pem`, its certificate and those that lead from it to the root,
// and `ca.key`.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readChainCertificate, type ChainCertificate } from '../../pki/chain-certificate.ts'
import { keyIdentifierOf, readAuthorityChain } from '../../ca/authority-certificate.ts'
import { FileCa, readAuthorityKey } from '../../ca/file-ca.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { encodeName, type Attribute } from '../../x509/name.ts'
import { ATTRIBUTES, PURPOSES } from '../../x509/oid.ts'
import { decodePem, encodePem } from '../../x509/pem.ts'
import { usageError } from '../usage-error.ts'
import { certify } from './certify.ts'
import { newKey, publicKeyDer, type KeyKind } from './keys.ts'
import { nameConstraintsFor, type Subtree } from './name-constraints.ts'
import type { CertificateIssuer, Template } from './template.ts'
import { validityBelow, validityFrom } from './validity.ts'

/** The files of a CA. */
export const AUTHORITY_FILES = { certificate: 'ca.pem', key: 'ca.key' } as const

/** A CA that can sign. */
export interface Authority extends CertificateIssuer {
  /** What messages call it: the path of its certificate. */
  readonly name: string
  /** Its certificate, then each that signed the one before. */
  readonly path: readonly [ChainCertificate, ...ChainCertificate[]]
  /** PEM of all of them. */
  readonly certificates: string
  /** PEM of those that are sent after a leaf: all that are not self-signed. */
  readonly chain: string
}

/** What a CA is to be. */
export interface AuthorityRequest {
  readonly commonName: string
  /** Default: `ec-p256`. */
  readonly kind?: KeyKind
  readonly days?: number
  readonly pathLength?: number
  /** Which names it may sign for; none: all. */
  readonly permitted?: readonly Subtree[]
  /** Which certificates it may sign; default: those of servers and of clients. */
  readonly profile?: 'server' | 'client'
}

/**
 * Reads the CA in a folder.
 *
 * @throws CountersignError `file-unreadable`, `authority-unusable`
 */
export const readAuthority = async (folder: string): Promise<Authority> => {
  const name = join(folder, AUTHORITY_FILES.certificate)
  const keyName = join(folder, AUTHORITY_FILES.key)
  const pem = (await read(name)).toString('utf8')
  return openAuthority(pem, await read(keyName), name, keyName)
}

const read = async (file: string): Promise<Buffer> =>
  await readFile(file).catch((cause: unknown) => {
    throw new CountersignError(
      'file-unreadable',
      `${file}: ${describeError(cause)}. A folder that \`countersign ca create\` made has ${AUTHORITY_FILES.certificate} and ${AUTHORITY_FILES.key}`,
      { cause },
    )
  })

// RFC 7468 §11; RFC 1421 §4.6.1.1
const ENCRYPTED = 'ENCRYPTED'

const openAuthority = (pem: string, keyPem: Buffer, name: string, keyName: string): Authority => {
  const chain = named(name, () => readAuthorityChain(pem, Date.now()))
  if (keyPem.includes(ENCRYPTED)) {
    throw usageError(
      `${keyName}: the key is encrypted, and \`countersign ca\` reads no such key. Decrypt it into another folder, sign, and remove that: openssl pkey -in ca.key -out …`,
    )
  }
  const key = named(keyName, () => readAuthorityKey(keyPem, undefined))
  named(keyName, () => new FileCa(chain, key)) // that the two belong together
  const [own, ...others] = decodePem('CERTIFICATE', pem).map(readChainCertificate)
  if (own === undefined) throw new TypeError('a chain without a certificate')
  return {
    name,
    path: [own, ...others],
    certificates: [own, ...others].map(({ der }) => encodePem('CERTIFICATE', der)).join(''),
    chain: chain.chain,
    subject: chain.certificate.subject,
    keyIdentifier: chain.certificate.keyIdentifier,
    key,
  }
}

/** Names the file in the error of what reads it. */
const named = <T>(file: string, work: () => T): T => {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `${file}: ${cause.message}`, { cause })
  }
}

/**
 * Makes a CA: a root, or one below `issuer`.
 *
 * @param name what messages are to call it
 * @throws CountersignError `usage` when the issuer cannot have such a CA below it
 */
export const createAuthority = async (
  request: AuthorityRequest,
  issuer?: Authority,
  name = 'the new CA',
): Promise<Authority> => {
  const key = await newKey(request.kind ?? 'ec-p256')
  const template = templateOf(request, publicKeyDer(createPublicKey(key)), issuer)
  const der = await certify(template, issuer ?? selfIssuer(template, key))
  const pem = encodePem('CERTIFICATE', der) + (issuer?.certificates ?? '')
  return openAuthority(pem, Buffer.from(key.export({ type: 'pkcs8', format: 'pem' })), name, name)
}

const selfIssuer = ({ subject, publicKey }: Template, key: KeyObject): CertificateIssuer => ({
  subject: encodeName(subject),
  keyIdentifier: keyIdentifierOf(publicKey),
  key,
})

// Ten years for a root, as long as most products live; half of it for one below.
const ROOT_DAYS = 3_650
const INTERMEDIATE_DAYS = 1_825
// One CA below the root, and none below that one.
const ROOT_PATH_LENGTH = 1

const templateOf = (
  { commonName, days, pathLength, permitted = [], profile }: AuthorityRequest,
  publicKey: Buffer,
  issuer: Authority | undefined,
): Template => {
  const subject: readonly Attribute[] = [{ oid: ATTRIBUTES.CN, value: commonName }]
  const nameConstraints = nameConstraintsFor(permitted)
  return {
    subject,
    names: [],
    authority: {
      pathLength:
        issuer === undefined
          ? (pathLength ?? ROOT_PATH_LENGTH)
          : pathLengthBelow(issuer, subject, pathLength),
      ...(nameConstraints === undefined ? {} : { nameConstraints }),
    },
    usages: ['keyCertSign', 'cRLSign'],
    purposes: profile === undefined ? [] : [PURPOSES[`${profile}Auth`]],
    ...(issuer === undefined
      ? validityFrom(days ?? ROOT_DAYS)
      : validityBelow(issuer, days, INTERMEDIATE_DAYS)),
    publicKey,
  }
}

/** RFC 5280 §4.2.1.9: what is left by every CA above. */
const pathLengthBelow = (
  { name, path }: Authority,
  subject: readonly Attribute[],
  wanted = 0,
): number => {
  const most = Math.min(...path.map(({ constraints }, index) => constraints.pathLength - index - 1))
  if (most < 0) {
    throw usageError(
      `${name}: its path length permits no CA below it. Make the root with --path-length 1 or more, and sign by that`,
    )
  }
  if (wanted > most) {
    throw usageError(`--path-length: ${most} at most below ${name}, whose own path length is less`)
  }
  const own = encodeName(subject)
  if (path.some(({ parts }) => parts.subject.equals(own))) {
    throw usageError(`--name: ${name} has the same; give the new CA a name of its own`)
  }
  return wanted
}
