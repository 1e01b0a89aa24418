// Keys of certificates: what `--key` offers, and how each of them signs.

import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** The kinds of key that `--key` offers. */
export const KEY_KINDS = [
  'ec-p256',
  'ec-p384',
  'ec-p521',
  'ed25519',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
] as const

/** A kind of key. */
export type KeyKind = (typeof KEY_KINDS)[number]

const generate = promisify(generateKeyPair)

/** A fresh private key. */
export const newKey = async (kind: KeyKind): Promise<KeyObject> => {
  const { privateKey } = await generateKind(kind)
  return privateKey
}

const generateKind = (kind: KeyKind): Promise<{ readonly privateKey: KeyObject }> => {
  switch (kind) {
    case 'ec-p256':
    case 'ec-p384':
    case 'ec-p521':
      return generate('ec', { namedCurve: kind.replace('ec-p', 'P-') })
    case 'ed25519':
      return generate('ed25519')
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generate('rsa', { modulusLength: Number(kind.slice('rsa-'.length)) })
  }
}

/** A private key in PEM (PKCS#8). */
export const keyPem = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** DER of the SubjectPublicKeyInfo of a public key. */
export const publicKeyDer = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

/** A key as WebCrypto has it, and what it signs with. */
export interface SigningKey {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly algorithm: Algorithm & { readonly hash: string }
}

/** A private key → what @peculiar/x509 signs with. The key must be one that `schemeOf` knows. */
export const signingKey = (key: KeyObject): SigningKey => {
  const { name, hash, ...parameters } = webAlgorithmOf(key)
  const algorithm = { name, hash }
  const imported = { ...algorithm, ...parameters }
  return {
    privateKey: key.toCryptoKey(imported, false, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(imported, true, ['verify']),
    algorithm,
  }
}

interface WebAlgorithm {
  readonly name: string
  readonly hash: string
  readonly namedCurve?: string
}

const webAlgorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): WebAlgorithm => {
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  if (asymmetricKeyType === 'ed25519') return { name: 'Ed25519', hash: 'SHA-512' }
  const curve = CURVES.get(asymmetricKeyDetails?.namedCurve)
  if (curve === undefined) throw new TypeError('a key that no certificate is signed with')
  return { name: 'ECDSA', ...curve }
}

// By OpenSSL's names; the hashes are those of RFC 5480 §4.
const CURVES: ReadonlyMap<
  string | undefined,
  { readonly namedCurve: string; readonly hash: string }
> = new Map([
  ['prime256v1', { namedCurve: 'P-256', hash: 'SHA-256' }],
  ['secp384r1', { namedCurve: 'P-384', hash: 'SHA-384' }],
  ['secp521r1', { namedCurve: 'P-521', hash: 'SHA-512' }],
])

/** What a key is: `EC P-256`, `RSA 3072`. */
export const keyText = ({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): string => {
  if (type === 'ec')
    return `EC ${CURVES.get(details?.namedCurve)?.namedCurve ?? details?.namedCurve ?? ''}`
  if (type === 'rsa' || type === 'rsa-pss') return `RSA ${details?.modulusLength ?? ''}`
  return type === 'ed25519' ? 'Ed25519' : (type ?? 'unknown')
}
