// `npm run release`: makes the artefacts of a release in `dist/`, or in the folder named. The same commit gives the same bytes.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from '../src/runtime/child.ts'
import { NATIVE, writeBundle } from './release/bundle.ts'
import { bundledPackages, readPackage } from './release/bundled-packages.ts'
import { chartArchive } from './release/chart.ts'
import { debianPackage } from './release/debian.ts'
import { imageOf, type ImageParts } from './release/image.ts'
import { npmArchive, npmFiles } from './release/npm-package.ts'
import { provenance, sums, type Artefact } from './release/provenance.ts'
import { releaseOf, type Release } from './release/release-info.ts'
import { ROOT } from './release/root.ts'
import { npmComponent, sbom } from './release/sbom.ts'

/** Every artefact, made in a folder for intermediate files. */
const artefactsOf = async (release: Release, work: string): Promise<readonly Artefact[]> => {
  const { version } = release
  const bundle = join(work, 'bundle')
  const packages = await bundledPackages(await writeBundle(bundle))
  const natives = await Promise.all(NATIVE.map((name) => readPackage(`node_modules/${name}`)))
  const components = [...packages, ...natives].map(npmComponent)
  const files = await npmFiles({ release, bundle, packages })
  return [
    ...(isDebian() ? await debianArtefacts({ release, files, components, work }) : []),
    { name: `countersign-${version}.tgz`, bytes: npmArchive(files, release) },
    {
      name: `countersign-${version}.cdx.json`,
      bytes: Buffer.from(sbom(release, 'countersign', components)),
    },
    { name: `helm/countersign-${version}.tgz`, bytes: await chartArchive(release) },
  ]
}

/** Whether the machine has what images and Debian packages are made with. Where it must, as in CI, it fails without. */
const isDebian = (): boolean => {
  const lacking = ['dpkg-query', 'dpkg-deb', 'strip'].filter(
    (name) => findProgram(name) === undefined,
  )
  if (process.platform === 'linux' && process.arch === 'x64' && lacking.length === 0) return true
  if (process.env['CI'] === 'true')
    throw new Error(`not Debian on x86-64, or without ${lacking.join()}`)
  console.log('left out: image and Debian package, which need Debian on x86-64 with binutils')
  return false
}

const debianArtefacts = async (parts: ImageParts): Promise<readonly Artefact[]> => {
  const { archive, components } = await imageOf(parts)
  const name = `countersign-${parts.release.version}-image-amd64`
  const list = sbom(parts.release, 'countersign-image', components)
  return [
    { name: `${name}.tar`, bytes: archive },
    { name: `${name}.cdx.json`, bytes: Buffer.from(list) },
    {
      name: `countersign_${parts.release.version}_amd64.deb`,
      bytes: await debianPackage(parts),
    },
  ]
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
const { positionals } = parseArgs({ allowPositionals: true })
const dist = resolve(positionals[0] ?? join(ROOT, 'dist'))
await rm(dist, { recursive: true, force: true })
const work = await mkdtemp(join(tmpdir(), 'countersign-release-'))
try {
  const release = releaseOf()
  for (const { name, bytes } of withStatements(release, await artefactsOf(release, work))) {
    const file = join(dist, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
    console.log(`${name}: ${(bytes.length / 1e6).toFixed(2)} MB`)
  }
} finally {
  await rm(work, { recursive: true })
}
