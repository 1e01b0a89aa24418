// Which packages are in the bundle, and their licences.

import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { ROOT } from './root.ts'

/** A package in the bundle. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** An SPDX expression. */
  readonly license: string
  /** The texts of its LICENSE and NOTICE files. */
  readonly texts: readonly string[]
}

/**
 * The packages whose files are in the bundle, in the order of their names.
 *
 * @throws Error where a package does not name its licence
 */
export const bundledPackages = async (metafile: Metafile): Promise<readonly BundledPackage[]> => {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
  const folders = new Set(
    used.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  )
  const packages = await Promise.all([...folders].map(readPackage))
  return packages.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

const keyOf = ({ name, version }: BundledPackage): string => `${name}@${version}`

/** Reads what a folder in node_modules says. */
export const readPackage = async (folder: string): Promise<BundledPackage> => {
  const manifest: unknown = JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8'))
  if (!isManifest(manifest)) throw new Error(`${folder} names no licence`)
  const { name, version, license } = manifest
  const files = globSync('{LICEN[SC]E,License,licen[sc]e,NOTICE,COPYING}{,.*,-*}', {
    cwd: join(ROOT, folder),
  })
  const texts = await Promise.all(
    files.toSorted().map((file) => readFile(join(ROOT, folder, file), 'utf8')),
  )
  return { name, version, license, texts: texts.map((text) => text.replaceAll('\r', '').trim()) }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
}

const isManifest = (value: unknown): value is Manifest =>
  typeof value === 'object' &&
  value !== null &&
  ['name', 'version', 'license'].every((key) => typeof Reflect.get(value, key) === 'string')

const LINE = '-'.repeat(80)

/** THIRD-PARTY-NOTICES: each licence text once, with the packages that are under it. */
export const thirdPartyNotices = (packages: readonly BundledPackage[]): string => {
  const byText = Map.groupBy(packages, ({ texts, license }) =>
    // A package may leave the text to the name of its licence (SPDX).
    texts.length === 0 ? `License: ${license} (the package has no text of it)` : texts.join('\n\n'),
  )
  const sections = [...byText].map(
    ([licence, under]) =>
      `${under.map(({ name, version, license }) => `${name} ${version} (${license})`).join('\n')}\n\n${licence}\n`,
  )
  return `Countersign contains the following software.\n\n${LINE}\n${sections.join(`\n${LINE}\n`)}`
}
