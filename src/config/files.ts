// Reads the files that a configuration names, and remembers which they were, so that a change of
// any of them is a reason to reload.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { sha256InSlices, sha256OfFile } from '../runtime/long-bytes.ts'
import { forgingKeyFault, writableFault } from './file-modes.ts'

/** The files of one configuration, as they were when it was read. */
export class ConfigurationFiles {
  readonly #digests = new Map<string, string>()

  /** Every path that was requested, whether or not it could be read. */
  get paths(): readonly string[] {
    return [...this.#digests.keys()]
  }

  /** Equal for two that have read the same files with the same contents. */
  get fingerprint(): string {
    const hash = createHash('sha256')
    for (const [path, digest] of [...this.#digests].toSorted(([one], [other]) =>
      one < other ? -1 : 1,
    )) {
      hash.update(`${path}\0${digest}\0`)
    }
    return hash.digest('base64url')
  }

  /** The digest of a file as it was read last; `undefined` when it was not, or could not be. */
  digestOf(path: string): string | undefined {
    const digest = this.#digests.get(path)
    return digest === UNREADABLE ? undefined : digest
  }

  /**
   * Reads a file, without keeping it, and gives its digest: for a long one that may be known already.
   *
   * @throws CountersignError `file-unreadable`
   */
  async digest(path: string): Promise<string> {
    return await this.#reading(path, async () => {
      const digest = inBase64(await sha256OfFile(path))
      this.#digests.set(path, digest)
      return digest
    })
  }

  /** Reads a file whole; throws `file-unreadable` with a message that says what to do. */
  async read(path: string): Promise<Buffer> {
    return (await this.readWithMode(path)).bytes
  }

  /**
   * Reads a file whole, with its mode. Both are of one file, though its path may lead to another one
   * by now. Links are followed: Kubernetes mounts a secret as links to its files.
   *
   * @throws CountersignError `file-unreadable`
   */
  async readWithMode(path: string): Promise<{ readonly bytes: Buffer; readonly mode: number }> {
    return await this.#reading(path, async () => {
      await using handle = await open(path)
      const { mode } = await handle.stat()
      const bytes = await handle.readFile()
      this.#digests.set(path, inBase64(await sha256InSlices(bytes)))
      return { bytes, mode }
    })
  }

  /**
   * Reads a key by which identities can be forged; refuses one that other users may read, or its group may change.
   *
   * @param what the key, for the message
   * @throws CountersignError `file-unreadable`, `file-exposed`
   */
  async readForgingKey(path: string, what: string): Promise<Buffer> {
    const { bytes, mode } = await this.readWithMode(path)
    refuse(forgingKeyFault(path, mode, what))
    return bytes
  }

  /**
   * Reads a text file that decides who is let in; refuses one that every user may change.
   *
   * @throws CountersignError `file-unreadable`, `file-exposed`
   */
  async readGuardedText(path: string): Promise<string> {
    const { bytes, mode } = await this.readWithMode(path)
    refuse(writableFault(path, mode))
    return decoded(path, bytes)
  }

  /** Whether any file is no longer what was read; a file touched but equal does not count. */
  async changed(): Promise<boolean> {
    for (const [path, digest] of this.#digests) {
      const now = await sha256OfFile(path).then(inBase64, () => UNREADABLE)
      if (now !== digest) return true
    }
    return false
  }

  /** Reads a UTF-8 text file; other encodings are refused rather than guessed. */
  async readText(path: string): Promise<string> {
    return decoded(path, await this.read(path))
  }

  async #reading<T>(path: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (cause) {
      this.#digests.set(path, UNREADABLE)
      throw new CountersignError('file-unreadable', reasonFor(path, cause), { cause })
    }
  }
}

const decoded = (path: string, bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CountersignError('file-unreadable', `${path} is not valid UTF-8`, { cause })
  }
}

const refuse = (fault: string | undefined): void => {
  if (fault !== undefined) throw new CountersignError('file-exposed', fault)
}

const UNREADABLE = 'unreadable'

const inBase64 = (digest: Buffer): string => digest.toString('base64url')

const reasonFor = (path: string, cause: unknown): string => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOENT':
      return `${path} does not exist`
    case 'EACCES':
      return `${path} may not be read by this user; check its owner and mode`
    case 'EISDIR':
      return `${path} is a folder, not a file`
    default:
      return `${path} cannot be read: ${describeError(cause)}`
  }
}
