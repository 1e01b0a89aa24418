// What the artefacts of a release are made from: the files of the npm package, and what these are made of.

import { join } from 'node:path'
import { NATIVE, writeBundle } from './bundle.ts'
import { bundledPackages, readPackage } from './bundled-packages.ts'
import type { ImageParts } from './image.ts'
import { npmFiles } from './npm-package.ts'
import type { Release } from './release-info.ts'
import { npmComponent } from './sbom.ts'

/** Makes them in a folder for intermediate files. */
export const partsOf = async (release: Release, work: string): Promise<ImageParts> => {
  const bundle = join(work, 'bundle')
  const packages = await bundledPackages(await writeBundle(bundle))
  const natives = await Promise.all(NATIVE.map((name) => readPackage(`node_modules/${name}`)))
  const components = [...packages, ...natives].map(npmComponent)
  return { release, files: await npmFiles({ release, bundle, packages }), components, work }
}
