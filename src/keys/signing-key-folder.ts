// The folder of signing keys: `keys.json`, and a file `KID.pem` for each private key. Read whole, and
// held against itself: a key that does not belong to its entry would sign tokens that nobody can
// verify, and one that others can read is nobody's secret.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import type { ConfigurationFiles } from '../config/files.ts'
import { CountersignError } from '../runtime/errors.ts'
import {
  parseSigningKeys,
  statesAt,
  type SigningKeyEntry,
  type SigningKeyList,
} from './signing-keys.ts'

/** The list of a folder. */
export const SIGNING_KEY_LIST = 'keys.json'

/** The file of a private key: PKCS#8, PEM. */
export const signingKeyFile = (folder: string, kid: string): string => join(folder, `${kid}.pem`)

/** A folder that was read. */
export interface SigningKeyFolder {
  readonly list: SigningKeyList
  /** The private keys by `kid`: of all that sign, or will. A `KeyObject` never prints its bytes. */
  readonly privateKeys: ReadonlyMap<string, KeyObject>
}

/**
 * Reads a folder.
 *
 * @param now milliseconds since the epoch: of keys that sign no more the private part may be gone
 * @throws CountersignError `file-unreadable`, `signing-keys-invalid`; no message quotes a key
 */
export const readSigningKeys = async (
  folder: string,
  files: ConfigurationFiles,
  now: number,
): Promise<SigningKeyFolder> => {
  const path = join(folder, SIGNING_KEY_LIST)
  const list = parseSigningKeys(path, await files.readText(path))
  const states = statesAt(list, now)
  const privateKeys = new Map<string, KeyObject>()
  for (const entry of list.keys) {
    const state = states.get(entry.kid)
    if (state !== 'next' && state !== 'signing') continue
    const file = signingKeyFile(folder, entry.kid)
    // oxlint-disable-next-line no-await-in-loop -- a handful
    privateKeys.set(entry.kid, await readPrivateKey(file, entry, files))
  }
  return { list, privateKeys }
}

const OTHERS = 0o007
const WRITABLE_BY_GROUP = 0o020

const readPrivateKey = async (
  file: string,
  entry: SigningKeyEntry,
  files: ConfigurationFiles,
): Promise<KeyObject> => {
  const pem = await files.read(file)
  const { mode } = await stat(file)
  if ((mode & (OTHERS | WRITABLE_BY_GROUP)) !== 0) {
    const shown = `0${(mode & 0o777).toString(8)}`
    throw invalid(
      `${file} has mode ${shown}: a private key is for its owner, and at most for its group to read (chmod 0600; of a Kubernetes secret "defaultMode: 0400", or 0440 with fsGroup)`,
    )
  }
  const key = privateKeyOf(file, pem)
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  const [own, listed] = await Promise.all([
    calculateJwkThumbprint(jwk),
    calculateJwkThumbprint(entry.jwk).catch(() => undefined),
  ])
  if (own !== entry.kid || listed !== entry.kid) {
    throw invalid(`${file} does not hold the private key of "${entry.kid}" in ${SIGNING_KEY_LIST}`)
  }
  if (!suits(key, entry)) throw invalid(`${file} holds no key that is fit for ${entry.algorithm}`)
  return key
}

// RFC 7518 §3.3.
const MIN_MODULUS = 2_048

const suits = (
  { asymmetricKeyType, asymmetricKeyDetails }: KeyObject,
  { algorithm }: SigningKeyEntry,
): boolean => {
  switch (algorithm) {
    case 'ES256':
      return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
    case 'RS256':
      return (
        asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_MODULUS
      )
    case 'EdDSA':
      return asymmetricKeyType === 'ed25519'
  }
}

const privateKeyOf = (file: string, pem: Buffer): KeyObject => {
  try {
    return createPrivateKey(pem)
  } catch {
    // Without what OpenSSL says, which may quote the key.
    throw invalid(`${file} holds no private key: PEM, PKCS#8, not encrypted`)
  }
}

const invalid = (message: string) => new CountersignError('signing-keys-invalid', message)
