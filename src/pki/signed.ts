// What certificates, CRLs and OCSP answers have in common: bytes, the name of an algorithm, and a
// signature (RFC 5280 §4.1.1, §5.1.1, RFC 6960 §4.2.1). Node's OpenSSL verifies it.

import { constants, createVerify, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { inPieces } from '../runtime/long-bytes.ts'
import { context, DerReader, element, malformed, sequence, TAG } from '../x509/der.ts'
import { oidElement } from '../x509/oid.ts'
import { isStrongKey } from './strength.ts'

/** A signed object, taken apart: views of its DER. */
export interface Signed {
  /** The bytes that the signature is of: a whole SEQUENCE. */
  readonly signed: Buffer
  /** A whole AlgorithmIdentifier. */
  readonly algorithm: Buffer
  readonly signature: Buffer
}

/**
 * Reads the first three elements of a signed object; what may follow them is left in the reader.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const readSigned = (reader: DerReader): Signed => {
  const signed = reader.next()
  const algorithm = reader.next()
  const bits = reader.expect(TAG.bitString)
  if (signed.tag !== TAG.sequence || algorithm.tag !== TAG.sequence) {
    throw malformed('nothing that could be signed')
  }
  if (bits[0] !== 0) throw malformed('a signature that is not of whole bytes')
  return { signed: signed.whole, algorithm: algorithm.whole, signature: bits.subarray(1) }
}

interface Method {
  readonly types: readonly string[]
  readonly hash: string | null
  readonly options?: { readonly padding: number; readonly saltLength: number }
}

const NULL = element(0x05)

// SHA-1 and MD5 are left out on purpose: an attacker who finds a collision could forge a status.
const HASHES = [
  { name: 'sha256', oid: '2.16.840.1.101.3.4.2.1', bytes: 32, rsa: 11, ecdsa: 2 },
  { name: 'sha384', oid: '2.16.840.1.101.3.4.2.2', bytes: 48, rsa: 12, ecdsa: 3 },
  { name: 'sha512', oid: '2.16.840.1.101.3.4.2.3', bytes: 64, rsa: 13, ecdsa: 4 },
] as const

/** RFC 4055 §3.1, with the parameters that every issuer uses: one hash, and a salt of its length. */
const pssIdentifier = (hash: Buffer, bytes: number): Buffer =>
  sequence(
    oidElement('1.2.840.113549.1.1.10'),
    sequence(
      element(context(0, 'constructed'), hash),
      element(context(1, 'constructed'), sequence(oidElement('1.2.840.113549.1.1.8'), hash)),
      element(context(2, 'constructed'), element(TAG.integer, Buffer.of(bytes))),
    ),
  )

const METHODS: ReadonlyMap<string, Method> = new Map(
  [
    ...HASHES.flatMap(({ name, oid, bytes, rsa, ecdsa }): [Buffer, Method][] => {
      const pkcs1 = oidElement(`1.2.840.113549.1.1.${rsa}`)
      const plain: Method = { types: ['rsa'], hash: name }
      const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bytes }
      const pss: Method = { types: ['rsa', 'rsa-pss'], hash: name, options }
      return [
        [sequence(pkcs1, NULL), plain],
        [sequence(pkcs1), plain], // RFC 4055 §5: must be accepted as well
        [pssIdentifier(sequence(oidElement(oid), NULL), bytes), pss],
        [pssIdentifier(sequence(oidElement(oid)), bytes), pss],
        [sequence(oidElement(`1.2.840.10045.4.3.${ecdsa}`)), { types: ['ec'], hash: name }],
      ]
    }),
    [sequence(oidElement('1.3.101.112')), { types: ['ed25519'], hash: null }] as const,
    [sequence(oidElement('1.3.101.113')), { types: ['ed448'], hash: null }] as const,
  ].map(([identifier, method]) => [identifier.toString('hex'), method]),
)

const verifyOnPool = promisify(verify)

// Node copies what it gives to the thread pool, here and now: 35 MB in 10 ms or more.
const LONGEST_ON_POOL = 1_048_576

/** Whether the signature is by this key, and both are strong enough to count. */
export const isSignedBy = async (
  { signed, algorithm, signature }: Signed,
  key: KeyObject,
): Promise<boolean> => {
  const method = METHODS.get(algorithm.toString('hex'))
  if (method === undefined || !isStrongKey(key)) return false
  if (!method.types.includes(key.asymmetricKeyType ?? '')) return false
  const input = method.options === undefined ? key : { key, ...method.options }
  const { hash } = method
  try {
    if (signed.length <= LONGEST_ON_POOL || hash === null) {
      return await verifyOnPool(hash, signed, input, signature)
    }
    const verification = createVerify(hash)
    await inPieces(signed, (piece) => verification.update(piece))
    return verification.verify(input, signature)
  } catch {
    return false // OpenSSL refuses some shapes of a wrong signature rather than compare them
  }
}
