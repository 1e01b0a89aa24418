// Certificates for tests, made field by field: good ones, and ones that no CA would issue.

import {
  constants,
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'
import { bitString, context, element, sequence, TAG, time, unsigned } from '../../src/x509/der.ts'
import {
  authorityKeyIdentifier,
  encodeExtension,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
  type Extension,
  type KeyUsage,
} from '../../src/x509/extensions.ts'
import { encodeName, type Attribute } from '../../src/x509/name.ts'
import { ATTRIBUTES, EXTENSIONS, oidElement, PURPOSES } from '../../src/x509/oid.ts'
import { encodePem } from '../../src/x509/pem.ts'

/** When the fake clock starts, in seconds. */
export const NOW = Date.UTC(2026, 0, 1) / 1_000
export const DAY = 86_400

export type KeyKind =
  | 'P-256'
  | 'P-384'
  | 'P-521'
  | 'secp256k1'
  | 'ed25519'
  | 'ed448'
  | 'rsa-1024'
  | 'rsa-2048'
  | 'rsa-3'
type Digest = 'sha256' | 'sha384' | 'sha512' | 'sha1' | 'md5' | 'pss-sha256' | 'pss-sha1'

export interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** What a certificate is to be; what is left out is that of a plain one. */
export interface Wish {
  /** CN, or a whole Name in DER. */
  readonly subject: string | Buffer
  /** Itself, where there is none. */
  readonly signer?: Made
  readonly issuer?: Buffer
  readonly keys?: Keys
  readonly kind?: KeyKind
  readonly digest?: Digest
  /** Seconds since the epoch. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly extensions?: readonly Extension[]
  /** Without key identifiers. */
  readonly anonymous?: boolean
  readonly breakSignature?: boolean
}

export interface Made {
  readonly der: Buffer
  readonly name: Buffer
  readonly keys: Keys
}

const kept = new Map<string, Keys>()

/** Keys of a kind; RSA ones are made once. */
export const makeKeys = (kind: KeyKind = 'P-256'): Keys => {
  const known = kept.get(kind)
  if (known !== undefined) return known
  const keys = generate(kind)
  if (kind.startsWith('rsa')) kept.set(kind, keys)
  return keys
}

const generate = (kind: KeyKind): Keys => {
  switch (kind) {
    case 'ed25519':
      return generateKeyPairSync('ed25519')
    case 'ed448':
      return generateKeyPairSync('ed448')
    case 'rsa-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1_024 })
    case 'rsa-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2_048 })
    case 'rsa-3':
      return generateKeyPairSync('rsa', { modulusLength: 2_048, publicExponent: 3 })
    case 'P-256':
    case 'P-384':
    case 'P-521':
    case 'secp256k1':
      return generateKeyPairSync('ec', { namedCurve: kind })
  }
}

const NULL = element(0x05)
const identifier = (oid: string, ...rest: readonly Buffer[]): Buffer =>
  sequence(oidElement(oid), ...rest)

const RSA_OIDS = {
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
  sha1: '1.2.840.113549.1.1.5',
  md5: '1.2.840.113549.1.1.4',
}
const EC_OIDS = {
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
  sha1: '1.2.840.10045.4.1',
  md5: '1.2.840.10045.4.1',
}

const PSS = '1.2.840.113549.1.1.10'

/** RFC 4055 §3.1; everything left out means SHA-1 with a salt of 20 bytes. */
const pssParameters = (hash: 'sha256' | 'sha1'): Buffer => {
  if (hash === 'sha1') return sequence()
  const algorithm = identifier('2.16.840.1.101.3.4.2.1', NULL)
  return sequence(
    element(context(0, 'constructed'), algorithm),
    element(context(1, 'constructed'), identifier('1.2.840.113549.1.1.8', algorithm)),
    element(context(2, 'constructed'), unsigned(Buffer.of(32))),
  )
}

const signing = (
  key: KeyObject,
  digest: Digest,
): { algorithm: Buffer; sign: (data: Buffer) => Buffer } => {
  const type = key.asymmetricKeyType
  if (type === 'ed25519' || type === 'ed448') {
    const algorithm = identifier(type === 'ed25519' ? '1.3.101.112' : '1.3.101.113')
    return { algorithm, sign: (data) => sign(null, data, key) }
  }
  if (digest === 'pss-sha256' || digest === 'pss-sha1') {
    const hash = digest === 'pss-sha256' ? 'sha256' : 'sha1'
    const saltLength = hash === 'sha256' ? 32 : 20
    return {
      algorithm: identifier(PSS, pssParameters(hash)),
      sign: (data) =>
        sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }),
    }
  }
  const algorithm = type === 'ec' ? identifier(EC_OIDS[digest]) : identifier(RSA_OIDS[digest], NULL)
  return { algorithm, sign: (data) => sign(digest, data, key) }
}

const identifierOf = ({ publicKey }: Keys): Buffer =>
  createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()

/** A name of one CN, or of attributes by short names. */
export const nameOf = (
  ...attributes: readonly (readonly [keyof typeof ATTRIBUTES, string])[]
): Buffer =>
  encodeName(attributes.map(([type, value]): Attribute => ({ oid: ATTRIBUTES[type], value })))

/** Makes a certificate. */
export const make = (wish: Wish): Made => {
  const keys = wish.keys ?? makeKeys(wish.kind)
  const name = typeof wish.subject === 'string' ? nameOf(['CN', wish.subject]) : wish.subject
  const signer = wish.signer ?? { name, keys }
  const scheme = signing(signer.keys.privateKey, wish.digest ?? 'sha256')
  const identifiers =
    wish.anonymous === true
      ? []
      : [
          subjectKeyIdentifier(identifierOf(keys)),
          authorityKeyIdentifier(identifierOf(signer.keys)),
        ]
  const extensions = [...(wish.extensions ?? []), ...identifiers]
  const tbs = sequence(
    element(context(0, 'constructed'), unsigned(Buffer.of(2))),
    unsigned(randomBytes(12)),
    scheme.algorithm,
    wish.issuer ?? signer.name,
    sequence(time(wish.notBefore ?? NOW - DAY), time(wish.notAfter ?? NOW + 30 * DAY)),
    name,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0
      ? []
      : [element(context(3, 'constructed'), sequence(...extensions.map(encodeExtension)))]),
  )
  const signature = scheme.sign(tbs)
  if (wish.breakSignature === true) {
    signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1)
  }
  return { der: sequence(tbs, scheme.algorithm, bitString(signature)), name, keys }
}

/** What a CA's certificate says. */
export interface AuthorityWish extends Wish {
  readonly pathLength?: number
  readonly isAuthority?: boolean
  readonly usages?: readonly KeyUsage[] | undefined
}

/** Makes the certificate of a CA. */
export const makeAuthority = (wish: AuthorityWish): Made =>
  make({
    ...wish,
    extensions: [
      basicConstraints(wish.isAuthority ?? true, wish.pathLength),
      ...('usages' in wish && wish.usages === undefined
        ? []
        : [keyUsage(wish.usages ?? ['keyCertSign', 'cRLSign'])]),
      ...(wish.extensions ?? []),
    ],
  })

/** Makes the certificate of a client. */
export const makeClient = (
  wish: Omit<Wish, 'subject'> &
    Partial<Pick<Wish, 'subject'>> & { readonly purposes?: readonly string[] | undefined },
): Made =>
  make({
    subject: nameOf(['O', 'developers'], ['CN', 'alice']),
    ...wish,
    extensions: [
      keyUsage(['digitalSignature']),
      ...('purposes' in wish && wish.purposes === undefined
        ? []
        : [extendedKeyUsage(wish.purposes ?? [PURPOSES.clientAuth])]),
      ...(wish.extensions ?? []),
    ],
  })

const TRUE = element(TAG.boolean, Buffer.of(0xff))

export const basicConstraints = (isAuthority: boolean, pathLength?: number): Extension => ({
  oid: EXTENSIONS.basicConstraints,
  critical: true,
  value: sequence(
    ...(isAuthority ? [TRUE] : []),
    ...(pathLength === undefined ? [] : [unsigned(Buffer.of(pathLength))]),
  ),
})

/** A GeneralName. */
export const generalName = {
  email: (text: string) => element(context(1, 'primitive'), Buffer.from(text, 'latin1')),
  dns: (text: string) => element(context(2, 'primitive'), Buffer.from(text, 'latin1')),
  directory: (name: Buffer) => element(context(4, 'constructed'), name),
  uri: (text: string) => element(context(6, 'primitive'), Buffer.from(text, 'latin1')),
  ip: (...bytes: readonly number[]) => element(context(7, 'primitive'), Buffer.from(bytes)),
  registeredId: (oid: string) => element(context(8, 'primitive'), oidElement(oid).subarray(2)),
}

export const alternativeNames = (...names: readonly Buffer[]): Extension => ({
  oid: EXTENSIONS.subjectAltName,
  critical: false,
  value: sequence(...names),
})

/** Name constraints with these GeneralNames as subtrees. */
export const nameConstraints = (lists: {
  readonly permitted?: readonly Buffer[]
  readonly excluded?: readonly Buffer[]
}): Extension => {
  const subtrees = (number: number, names: readonly Buffer[] = []): readonly Buffer[] =>
    names.length === 0
      ? []
      : [element(context(number, 'constructed'), ...names.map((name) => sequence(name)))]
  return {
    oid: '2.5.29.30',
    critical: true,
    value: sequence(...subtrees(0, lists.permitted), ...subtrees(1, lists.excluded)),
  }
}

/** PEM of certificates, one after the other. */
export const pemOf = (...certificates: readonly Made[]): string =>
  certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('')
