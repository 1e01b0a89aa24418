// Where the program itself is: in a clone, whose TypeScript Node runs as it is, or in the bundle of a release.

import { extname, resolve } from 'node:path'
import { isSea } from 'node:sea'

const IS_CLONE = extname(import.meta.filename) === '.ts'

const file = IS_CLONE ? '../countersign.ts' : 'countersign.js'

/** What Node is given to run `countersign` again, as another process, before its arguments. A single executable needs nothing. */
export const commandArguments: readonly string[] = isSea()
  ? []
  : [resolve(import.meta.dirname, file)]

/** The root of the clone, to which set-up downloads; `undefined` in a release. */
export const cloneFolder: string | undefined = IS_CLONE
  ? resolve(import.meta.dirname, '../..')
  : undefined
