// `npm run release`: makes the artefacts of a release in `dist/`, or in the folder named. The same commit gives the same bytes.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from '../src/runtime/child.ts'
import { chartArchive } from './release/chart.ts'
import { debianPackage } from './release/debian.ts'
import { executable, EXECUTABLE_SUFFIX } from './release/executable.ts'
import { imageOf, type ImageParts } from './release/image.ts'
import { npmArchive } from './release/npm-package.ts'
import { partsOf } from './release/parts.ts'
import { provenance, sums, type Artefact } from './release/provenance.ts'
import { releaseOf, type Release } from './release/release-info.ts'
import { ROOT } from './release/root.ts'
import { sbom } from './release/sbom.ts'

/** What can be made by itself, with `--only NAME`. */
const KINDS = ['npm', 'helm', 'image', 'debian', 'executable'] as const
type Kind = (typeof KINDS)[number]

/** The artefacts of some kinds, made in a folder for intermediate files. */
const artefactsOf = async (
  release: Release,
  kinds: ReadonlySet<Kind>,
  work: string,
): Promise<readonly Artefact[]> => {
  const parts = await partsOf(release, work)
  const made: Artefact[] = []
  // One after the other: they share the folder.
  for (const kind of kinds) made.push(...(await MAKERS[kind](parts)))
  return made
}

const MAKERS: Readonly<Record<Kind, (parts: ImageParts) => Promise<readonly Artefact[]>>> = {
  npm: async ({ release, files, components }) => [
    { name: `countersign-${release.version}.tgz`, bytes: npmArchive(files, release) },
    {
      name: `countersign-${release.version}.cdx.json`,
      bytes: Buffer.from(sbom(release, 'countersign', components)),
    },
  ],
  helm: async ({ release }) => [
    { name: `helm/countersign-${release.version}.tgz`, bytes: await chartArchive(release) },
  ],
  image: async (parts) => {
    const { archive, components } = await imageOf(parts)
    const name = `countersign-${parts.release.version}-image-amd64`
    const list = sbom(parts.release, 'countersign-image', components)
    return [
      { name: `${name}.tar`, bytes: archive },
      { name: `${name}.cdx.json`, bytes: Buffer.from(list) },
    ]
  },
  executable: async ({ release, work }) => [
    {
      name: `countersign-${release.version}-${EXECUTABLE_SUFFIX}`,
      bytes: await executable(work),
    },
  ],
  debian: async (parts) => [
    {
      name: `countersign_${parts.release.version}_amd64.deb`,
      bytes: await debianPackage(parts),
    },
  ],
}

/** Whether the machine has what images and Debian packages are made with. Where it must, as in CI, it fails without. */
const isDebian = (): boolean => {
  const lacking = ['dpkg-query', 'dpkg-deb', 'strip', 'cc'].filter(
    (name) => findProgram(name) === undefined,
  )
  if (process.platform === 'linux' && process.arch === 'x64' && lacking.length === 0) return true
  if (process.env['CI'] === 'true')
    throw new Error(`not Debian on x86-64, or without ${lacking.join()}`)
  console.log(
    'left out: image and Debian package, which need Debian on x86-64 with gcc and binutils',
  )
  return false
}

/** With the files about them. */
const withStatements = (release: Release, artefacts: readonly Artefact[]): readonly Artefact[] => {
  const statement = {
    name: `countersign-${release.version}.intoto.json`,
    bytes: Buffer.from(provenance(release, artefacts)),
  }
  const all = [...artefacts, statement]
  return [...all, { name: 'SHA256SUMS', bytes: Buffer.from(sums(all)) }]
}

// Modes of folders are those of the archives.
process.umask(0o022)
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true, default: [...KINDS] } },
})
const kinds = new Set(KINDS.filter((kind) => values.only.includes(kind)))
const OF_DEBIAN = ['image', 'debian'] as const
if (OF_DEBIAN.some((kind) => kinds.has(kind)) && !isDebian()) {
  for (const kind of OF_DEBIAN) kinds.delete(kind)
}
const dist = resolve(positionals[0] ?? join(ROOT, 'dist'))
await rm(dist, { recursive: true, force: true })
const work = await mkdtemp(join(tmpdir(), 'countersign-release-'))
try {
  const release = releaseOf()
  for (const { name, bytes } of withStatements(release, await artefactsOf(release, kinds, work))) {
    const file = join(dist, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes, { mode: name.endsWith(EXECUTABLE_SUFFIX) ? 0o755 : 0o644 })
    console.log(`${name}: ${(bytes.length / 1e6).toFixed(2)} MB`)
  }
} finally {
  await rm(work, { recursive: true })
}
