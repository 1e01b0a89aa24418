// A folder with what `countersign ca` makes, and the command run in it. A process for each file that a test
// starts from would take most of its time, so these are written here.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createAuthority, type Authority } from '../../../src/cli/ca/authority.ts'
import { keyPem, newKey } from '../../../src/cli/ca/keys.ts'
import { allNames } from '../../../src/cli/ca/names.ts'
import type { NameOptions } from '../../../src/cli/ca/options.ts'
import { createRequest } from '../../../src/cli/ca/request.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

/** A folder to make certificates in. */
export interface CaFolder extends TemporaryFolder {
  /** Runs `countersign ca`; words that begin with "./" are paths in the folder. */
  ca(...args: readonly string[]): Promise<Result>
  /** The same, and it has to succeed. */
  made(...args: readonly string[]): Promise<string>
  text(name: string): string
  /** Writes `ca.pem` and `ca.key` of a CA into a folder in it. */
  writeCa(name: string, authority?: Authority): Promise<void>
  /** Writes `request.csr` and `request.key` into a folder in it. */
  writeRequest(name: string, options: NameOptions): Promise<void>
}

const AUTHORITY = await createAuthority({ commonName: 'Test CA' })

/** Makes one. */
export const caFolder = async (): Promise<CaFolder> => {
  const folder = await temporaryFolder()
  const ca = async (...args: readonly string[]): Promise<Result> =>
    await countersign([
      'ca',
      ...args.map((word) => (word.startsWith('./') ? folder.file(word.slice(2)) : word)),
    ])
  return {
    ...folder,
    ca,
    async made(...args) {
      const { status, stdout, stderr } = await ca(...args)
      assert.equal(status, 0, stderr)
      return stdout
    },
    text: (name) => readFileSync(folder.file(name), 'utf8'),
    async writeCa(name, { certificates, key } = AUTHORITY) {
      await mkdir(folder.file(name))
      await writeFile(folder.file(`${name}/ca.pem`), certificates)
      await writeFile(folder.file(`${name}/ca.key`), keyPem(key))
    },
    async writeRequest(name, options) {
      const { subject, names } = allNames(options)
      const key = await newKey('ec-p256')
      await mkdir(folder.file(name))
      await writeFile(folder.file(`${name}/request.key`), keyPem(key))
      await writeFile(folder.file(`${name}/request.csr`), await createRequest(subject, names, key))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
