// A folder of signing keys that the command works on, and its state.

import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { changeSigningKeys } from '../../src/cli/signing-key-writer.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import type { SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { creation } from '../../src/keys/signing-key-changes.ts'
import { readSigningKeys } from '../../src/keys/signing-key-folder.ts'
import { stateAt, timesOf } from '../../src/keys/signing-key-times.ts'
import {
  formatSigningKeys,
  parseSigningKeys,
  type SigningKeyEntry,
} from '../../src/keys/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { countersign, countersignProcess, type Result } from './run.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** A folder of keys in a temporary one. */
export class Keys implements AsyncDisposable {
  readonly #parent: TemporaryFolder
  readonly path: string

  constructor(parent: TemporaryFolder) {
    this.#parent = parent
    this.path = parent.file('keys')
  }

  /** Runs a command on it. */
  async run(command: string, ...args: readonly string[]): Promise<Result> {
    return await countersign(['keys', 'signing', command, this.path, ...args])
  }

  /** Runs it, and it must do. */
  async must(command: string, ...args: readonly string[]): Promise<Result> {
    const result = await this.run(command, ...args)
    assert.deepEqual([result.status, result.stdout], [0, ''], result.stderr)
    return result
  }

  /** Runs it in a process of its own, and it must do. */
  async mustApart(command: string, ...args: readonly string[]): Promise<void> {
    const words = ['keys', 'signing', command, this.path, ...args]
    const { status, stdout, stderr } = await countersignProcess(words)
    assert.deepEqual([status, stdout], [0, ''], stderr)
  }

  async entries(): Promise<readonly SigningKeyEntry[]> {
    return parseSigningKeys('test', await readFile(this.file('keys.json'), 'utf8')).keys
  }

  /** `ES256 signing`, for every key. */
  async states(): Promise<readonly string[]> {
    const keys = [...(await this.entries())]
    const now = Date.now()
    return timesOf({ version: 1, keys }).map(
      (times) => `${times.key.algorithm} ${stateAt(times, now)}`,
    )
  }

  /** The names of the keys. */
  async kids(): Promise<readonly string[]> {
    return (await this.entries()).map(({ kid }) => kid)
  }

  /** Whose private halves are there, in the order of the list. */
  async privateKids(): Promise<readonly string[]> {
    const names = new Set(await readdir(this.path))
    return (await this.kids()).filter((kid) => names.has(`${kid}.pem`))
  }

  /** Lets every key have been made, and rotated, so much earlier. */
  async age(milliseconds: number): Promise<void> {
    const earlier = (text: string) => new Date(Date.parse(text) - milliseconds).toISOString()
    const keys = (await this.entries()).map((key) => ({
      ...key,
      created: earlier(key.created),
      signsFrom: earlier(key.signsFrom),
      ...(key.revoked === undefined ? {} : { revoked: earlier(key.revoked) }),
    }))
    await writeFile(this.file('keys.json'), formatSigningKeys({ version: 1, keys }))
  }

  /** As authz reads it. */
  async read() {
    return await readSigningKeys(this.path, new ConfigurationFiles(), Date.now())
  }

  file(name: string): string {
    return join(this.path, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parent[Symbol.asyncDispose]()
  }
}

/** One that is not there yet. */
export const noKeys = async (): Promise<Keys> => new Keys(await temporaryFolder())

/** A folder with a key of each algorithm, as `create` makes it. */
export const someKeys = async (...algorithms: readonly SigningAlgorithm[]): Promise<Keys> => {
  const keys = await noKeys()
  await changeSigningKeys({
    folder: keys.path,
    make: { mode: undefined },
    plan: (list, now) => creation(list, algorithms, now),
  })
  return keys
}

/** The permissions of a file. */
export const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777
