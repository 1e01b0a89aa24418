// What `countersign test` prints.

import type { Result } from '../run.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'

/** The lines on standard output, without the path of the folder. */
export const linesOf = ({ stdout }: Result, folder: TemporaryFolder): readonly string[] =>
  stdout.replaceAll(folder.path, '').trimEnd().split('\n')
