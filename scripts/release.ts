// `npm run release`: makes the artefacts of a release in `dist/`, or in the folder named. The same commit gives the same bytes.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { writeBundle } from './release/bundle.ts'
import { bundledPackages } from './release/bundled-packages.ts'
import { npmArchive, npmFiles } from './release/npm-package.ts'
import { releaseOf } from './release/release-info.ts'
import { ROOT } from './release/root.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const dist = resolve(positionals[0] ?? join(ROOT, 'dist'))

const release = releaseOf()
await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })
const work = await mkdtemp(join(tmpdir(), 'countersign-release-'))
try {
  const bundle = join(work, 'bundle')
  const packages = await bundledPackages(await writeBundle(bundle))
  const files = await npmFiles({ release, bundle, packages })
  await write(`countersign-${release.version}.tgz`, npmArchive(files, release))
} finally {
  await rm(work, { recursive: true })
}

async function write(name: string, bytes: Buffer): Promise<void> {
  await writeFile(join(dist, name), bytes)
  console.log(`${name}: ${(bytes.length / 1e6).toFixed(2)} MB`)
}
