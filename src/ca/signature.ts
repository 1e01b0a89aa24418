// Which signatures a CA's key makes, by the kind of the key (RFC 5758, RFC 8410, RFC 8017).

import { sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { element, sequence } from '../x509/der.ts'
import { oidElement } from '../x509/oid.ts'

/** How a key signs. */
export interface SignatureScheme {
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Buffer
  sign(data: Buffer, key: KeyObject): Promise<Buffer>
}

/** The scheme of a private key; `undefined` for keys that no certificate should be signed with. */
export const schemeOf = ({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): SignatureScheme | undefined => {
  if (type === 'ec') return CURVES.get(details?.namedCurve)
  if (type === 'ed25519') return ED25519
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_MODULUS) return RSA
  return undefined
}

/** What {@link schemeOf} knows, for messages. */
export const KNOWN_KEYS = 'EC (P-256, P-384, P-521), Ed25519, RSA from 2048 bits'

const LEAST_MODULUS = 2_048

const signAside = promisify(sign)

/** Signs here: it takes less time than to hand it to another thread (measured: 65 of 135 µs). */
const here = (algorithm: Buffer, digest: string | null): SignatureScheme => ({
  algorithm,
  sign: async (data, key) => sign(digest, data, key),
})

/** Signs in the thread pool: it takes a millisecond or more. */
const aside = (algorithm: Buffer, digest: string): SignatureScheme => ({
  algorithm,
  sign: (data, key) => signAside(digest, data, key),
})

const identifier = (oid: string, ...parameters: readonly Buffer[]): Buffer =>
  sequence(oidElement(oid), ...parameters)

const NULL = element(0x05)

const ED25519 = here(identifier('1.3.101.112'), null)
// RFC 4055 §5: the parameters are NULL, and not left out.
const RSA = aside(identifier('1.2.840.113549.1.1.11', NULL), 'sha256')

// By OpenSSL's names: P-256, P-384, P-521.
const CURVES: ReadonlyMap<string | undefined, SignatureScheme> = new Map([
  ['prime256v1', here(identifier('1.2.840.10045.4.3.2'), 'sha256')],
  ['secp384r1', aside(identifier('1.2.840.10045.4.3.3'), 'sha384')],
  ['secp521r1', aside(identifier('1.2.840.10045.4.3.4'), 'sha512')],
])
