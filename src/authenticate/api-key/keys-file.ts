// A file of API keys: by id, the digest, the user and the expiry.

import { timingSafeEqual } from 'node:crypto'
import { Slices } from '../../runtime/slices.ts'
import { apiKeyFileSchema, apiKeysSchema } from './schema.ts'
import { parseYamlInSlices, type DocumentKind } from '../../config/document.ts'
import { ConfigurationError, type Problem } from '../../config/problem.ts'
import type { ProvenCredential } from '../../identity/identity.ts'
import { presentedId } from '../../identity/presented-credential.ts'
import { ID, readKeyHash, type ApiKey } from './key.ts'

/** An entry of the file. */
export interface KnownKey {
  /** The credential that the key yields; the same object every time, with the expiry of the key. */
  readonly credential: ProvenCredential
}

interface Entry extends KnownKey {
  readonly digest: Buffer
  readonly disabled: boolean
}

/** The keys of one file. */
export class KeysFile {
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries
  }

  /**
   * Parses a file of API keys, in slices. It may have none, when the last was revoked.
   *
   * @param file its absolute path
   * @throws ConfigurationError with every problem in the file
   */
  static async parse(file: string, text: string): Promise<KeysFile> {
    const problems: Problem[] = []
    const entries = await parseEntries(file, text, problems)
    if (problems.length > 0) throw new ConfigurationError(problems)
    return new KeysFile(entries)
  }

  /** Whether there is an entry of that id. */
  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** The entry of a key; `undefined` where none has its id, or the digest differs. */
  find({ id, digest }: ApiKey): KnownKey | undefined {
    const entry = this.#entries.get(id)
    return entry !== undefined && timingSafeEqual(entry.digest, digest) && !entry.disabled
      ? entry
      : undefined
  }
}

const DOCUMENT: DocumentKind<typeof apiKeyFileSchema> = {
  schema: apiKeyFileSchema,
  longParts: () => [{ path: ['keys'], schema: apiKeysSchema }],
}

const parseEntries = async (
  file: string,
  text: string,
  problems: Problem[],
): Promise<ReadonlyMap<string, Entry>> => {
  const entries = new Map<string, Entry>()
  const slices = new Slices()
  const document = await parseYamlInSlices(file, text, DOCUMENT, slices)
  if (!document.ok) {
    problems.push(...document.problems)
    return entries
  }
  const hashes = new Set<string>()
  for (const [id, entry] of Object.entries(document.value.keys)) {
    await slices.pause()
    const { hash, disabled, user, uid, groups, extra, expires } = entry
    const report = (key: readonly string[], message: string): void => {
      problems.push(document.locate(['keys', id, ...key], message))
    }
    if (!ID.test(id)) report([], 'an id is 1 to 63 lower-case letters, digits or "-"')
    const digest = readKeyHash(hash)
    if (digest === undefined) report(['hash'], complaintAbout(hash))
    // The hash covers the id, so one of the two entries could never match.
    else if (hashes.has(hash)) report(['hash'], 'is the hash of another key in this file')
    hashes.add(hash)
    if (digest === undefined) continue
    const name = user.normalize('NFC')
    const account = { user: name, uid, groups, extra, expires, presented: presentedId(id, true) }
    entries.set(id, { digest, disabled, credential: { method: 'api-key', digest: id, ...account } })
  }
  return entries
}

const complaintAbout = (hash: string): string =>
  hash.startsWith('csk_')
    ? 'is a key and not its hash; it has been written down, so revoke it and make another with "countersign keys api"'
    : 'is not "sha256:" and 64 lower-case hexadecimal digits; "countersign keys api" makes an entry'
