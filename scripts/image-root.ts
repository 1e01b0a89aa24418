// The files of the container image, into a new folder: `node scripts/image-root.ts FOLDER`. The Dockerfile copies them, with the owners that
// scripts/release/image.ts has. Needs Debian with gcc and binutils.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { writeEntry } from './release/files.ts'
import { imageEntries } from './release/image.ts'
import { partsOf } from './release/parts.ts'
import { releaseOf } from './release/release-info.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('node scripts/image-root.ts FOLDER')
const work = await mkdtemp(join(tmpdir(), 'countersign-image-'))
try {
  const { base, program } = await imageEntries(await partsOf(releaseOf(), work))
  for (const entry of [...base, ...program]) await writeEntry(resolve(folder), entry)
} finally {
  await rm(work, { recursive: true })
}
