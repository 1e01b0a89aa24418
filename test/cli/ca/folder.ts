// A folder for what `countersign ca` makes, and the command run in it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { countersign, type Result } from '../run.ts'

/** A folder to make certificates in. */
export interface CaFolder extends TemporaryFolder {
  /** Runs `countersign ca`; words that begin with "./" are paths in the folder. */
  ca(...args: readonly string[]): Promise<Result>
  /** The same, and it has to succeed. */
  made(...args: readonly string[]): Promise<string>
  text(name: string): string
}

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
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
