// Where the program itself is: in a clone, whose TypeScript Node runs as it is, or in the bundle of a release.

import { extname, resolve } from 'node:path'

const IS_CLONE = extname(import.meta.filename) === '.ts'

/** What Node is given to run `countersign` again, as another process. */
export const commandFile: string = IS_CLONE
  ? resolve(import.meta.dirname, '../countersign.ts')
  : resolve(import.meta.dirname, 'countersign.js')

/** The root of the clone, to which set-up downloads; `undefined` in a release. */
export const cloneFolder: string | undefined = IS_CLONE
  ? resolve(import.meta.dirname, '../..')
  : undefined
