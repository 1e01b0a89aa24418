// The folder of signing keys: `keys.json`, and a file `KID.pem` for each private key. It is read whole and
// checked: a key that does not belong to its entry would sign tokens that no upstream can
// verify, and a key that other users can read is not secret.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConfigurationFiles } from '../config/files.ts'
import { forgingKeyFault, octal } from '../config/file-modes.ts'
import { CountersignError, hasCode } from '../runtime/errors.ts'
import { isPair } from './public-key.ts'
import { isPublished, stateAt, timesOf, type SigningKeyState } from './signing-key-times.ts'
import { parseSigningKeys, type SigningKeyEntry, type SigningKeyList } from './signing-keys.ts'

/** The list of a folder. */
export const SIGNING_KEY_LIST = 'keys.json'

/** The file of a private key: PKCS#8, PEM. */
export const signingKeyFile = (folder: string, kid: string): string => join(folder, `${kid}.pem`)

/** A folder that was read. */
export interface SigningKeyFolder {
  readonly list: SigningKeyList
  /**
   * The private keys by `kid`: of all that sign or will, and of those that did, where they are still
   * there. A `KeyObject` never prints its bytes.
   */
  readonly privateKeys: ReadonlyMap<string, KeyObject>
}

/**
 * Reads a folder.
 *
 * @param now milliseconds since the epoch: the private half of a retired key may be deleted
 * @throws CountersignError `file-unreadable`, `signing-keys-invalid`; no message quotes a key
 */
export const readSigningKeys = async (
  folder: string,
  files: ConfigurationFiles,
  now: number,
): Promise<SigningKeyFolder> => {
  const { list, privateKeys, problems } = await inspectSigningKeys(folder, files, now)
  const [first] = problems
  if (first === undefined) return { list, privateKeys }
  const message = problems.map((problem) => problem.message).join('; ')
  throw new CountersignError(first.code, message, { cause: first })
}

/** A folder, and everything that is wrong with it. */
export interface SigningKeyInspection extends SigningKeyFolder {
  readonly problems: readonly CountersignError[]
}

/**
 * Reads as much of a folder as can be read.
 *
 * @param now as for {@link readSigningKeys}
 * @throws CountersignError `file-unreadable`, `signing-keys-invalid`, when there is no list
 */
export const inspectSigningKeys = async (
  folder: string,
  files: ConfigurationFiles,
  now: number,
): Promise<SigningKeyInspection> => {
  const path = join(folder, SIGNING_KEY_LIST)
  const list = parseSigningKeys(path, await readList(path, folder, files))
  const problems: CountersignError[] = []
  const collect = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step()
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      problems.push(cause)
      return undefined
    }
  }
  await collect(async () => await refuseOpenList(path))
  const states = timesOf(list).map((times) => ({ entry: times.key, state: stateAt(times, now) }))
  if (!states.some(({ state }) => state === 'signing')) {
    problems.push(invalid(`${path} has no key that signs now; ${howToMake(folder)}`))
  }
  const privateKeys = new Map<string, KeyObject>()
  for (const { entry, state } of states) {
    const key = await collect(async () => await readPrivateKey(folder, entry, state, files))
    if (key !== undefined) privateKeys.set(entry.kid, key)
  }
  return { list, privateKeys, problems }
}

const howToMake = (folder: string): string =>
  `\`countersign keys signing create ${folder}\` makes one`

const readList = async (
  path: string,
  folder: string,
  files: ConfigurationFiles,
): Promise<string> => {
  try {
    return await files.readText(path)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    const message = `${path} does not exist; ${howToMake(folder)}`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}

const WRITABLE_BY_GROUP = 0o020
const WRITABLE_BY_OTHERS = 0o002

/** A user who can write the list could publish a key of their own, and sign with it. */
const refuseOpenList = async (path: string): Promise<void> => {
  const { mode } = await stat(path)
  if ((mode & (WRITABLE_BY_GROUP | WRITABLE_BY_OTHERS)) === 0) return
  throw invalid(
    `${path} has mode ${octal(mode)}: its group and other users could add a key of their own and sign tokens (chmod 0644)`,
  )
}

/** The private half of a published key must be readable by the owner alone; other files are ignored. */
const readPrivateKey = async (
  folder: string,
  entry: SigningKeyEntry,
  state: SigningKeyState,
  files: ConfigurationFiles,
): Promise<KeyObject | undefined> => {
  if (!isPublished(state)) return undefined
  const file = signingKeyFile(folder, entry.kid)
  try {
    return checkedPrivateKey(file, entry, await files.readWithMode(file))
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    if (state === 'retired') return undefined
    const message = `${file} does not exist: restore it, or revoke the key (\`countersign keys signing revoke\`)`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}

const checkedPrivateKey = (
  file: string,
  { kid, jwk }: SigningKeyEntry,
  { bytes: pem, mode }: { readonly bytes: Buffer; readonly mode: number },
): KeyObject => {
  const fault = forgingKeyFault(file, mode, 'a private key')
  if (fault !== undefined) throw invalid(fault)
  const key = privateKeyOf(file, pem)
  if (!isPair(key, jwk)) {
    throw invalid(`${file} does not hold the private key of "${kid}" in ${SIGNING_KEY_LIST}`)
  }
  return key
}

const privateKeyOf = (file: string, pem: Buffer): KeyObject => {
  try {
    return createPrivateKey(pem)
  } catch {
    // Without what OpenSSL says, which may quote the key.
    throw invalid(`${file} holds no private key: PEM, PKCS#8, not encrypted`)
  }
}

/** Whether a file is not there, rather than not to be read. */
const isMissing = (cause: unknown): boolean =>
  cause instanceof CountersignError && hasCode(cause.cause, 'ENOENT')

const invalid = (message: string) => new CountersignError('signing-keys-invalid', message)
