// Signatures over the hash chain of the audit log. Who can write the log, and does not have the key, cannot make a chain anew
// that these signatures fit.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { ConfigurationFiles } from '../config/files.ts'
import { readForgingSecret } from '../config/secret.ts'
import type { SecretReference } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { ChainFields } from './chain.ts'
import type { LogCheckpointEvent } from './events/log-schema.ts'

const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
])

/** What is signed. */
export type Signed = ChainFields & Pick<LogCheckpointEvent, 'interval'>

/** A private key, with its id. */
export interface CheckpointKey {
  /** SHA-256 of the SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), base64url. */
  readonly id: string
  readonly key: KeyObject
}

/**
 * Reads a private key.
 *
 * @throws CountersignError `file-unreadable`, `file-exposed`, `audit-key-unusable`
 */
export const readCheckpointKey = async (reference: SecretReference): Promise<CheckpointKey> => {
  const what = 'the key of audit checkpoints'
  const pem = await readForgingSecret(reference, new ConfigurationFiles(), what)
  return { ...usable(() => createPrivateKey(pem), `${what} is not a private key in PEM`) }
}

/**
 * Reads a public key in PEM; a private key yields its public one.
 *
 * @param name of the file, for the message
 * @throws CountersignError `audit-key-unusable`
 */
export const readPublicKey = (pem: Buffer, name: string): CheckpointKey =>
  usable(() => createPublicKey(pem), `${name} is not a key in PEM`)

const usable = (read: () => KeyObject, problem: string): CheckpointKey => {
  let key: KeyObject
  try {
    key = read()
  } catch {
    // What OpenSSL says depends on its version, and may quote.
    throw new CountersignError('audit-key-unusable', problem)
  }
  if (algorithmOf(key) === undefined) {
    throw new CountersignError('audit-key-unusable', 'the key is not Ed25519, EC P-256 or EC P-384')
  }
  return { id: idOf(key), key }
}

const idOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(
      (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' }),
    )
    .digest('base64url')

/** The digest; `null` where the algorithm has its own. */
const algorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) =>
  asymmetricKeyType === 'ed25519' ? null : CURVES.get(asymmetricKeyDetails?.namedCurve)

const messageOf = ({ chain, sequence, hash, interval }: Signed): Buffer =>
  Buffer.from(`countersign audit checkpoint\n${chain}\n${sequence}\n${hash}\n${interval}\n`)

/** The signature, base64url. ECDSA: DER (RFC 3279 §2.2.3). */
export const signCheckpoint = (signed: Signed, { key }: CheckpointKey): string =>
  sign(algorithmOf(key), messageOf(signed), key).toString('base64url')

/** Whether a signature is right. */
export const isSignedBy = (signed: Signed, signature: string, { key }: CheckpointKey): boolean =>
  verify(algorithmOf(key), messageOf(signed), key, Buffer.from(signature, 'base64url'))
