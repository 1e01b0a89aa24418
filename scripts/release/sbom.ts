// Software bills of materials (CycloneDX 1.6, JSON; ECMA-424): what an artefact is made of.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Release } from './release-info.ts'
import { ROOT } from './root.ts'

/** A part of an artefact. */
export interface Component {
  readonly name: string
  readonly version: string
  /** An SPDX expression. */
  readonly license?: string
  /** A package URL (ECMA-427). */
  readonly purl: string
  /** Algorithm as CycloneDX names it, and digest in hex. */
  readonly hash?: { readonly alg: string; readonly content: string }
}

/** A package of npm, with the digest that package-lock.json has of its archive. */
export const npmComponent = ({
  name,
  version,
  license,
}: {
  readonly name: string
  readonly version: string
  readonly license: string
}): Component => {
  const digest = digests().get(`${name}@${version}`)
  return {
    name,
    version,
    license,
    purl: npmPurl(name, version),
    ...(digest === undefined ? {} : { hash: { alg: 'SHA-512', content: digest } }),
  }
}

const npmPurl = (name: string, version: string): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`

let known: ReadonlyMap<string, string> | undefined

/** The digests of package-lock.json by name and version. */
const digests = (): ReadonlyMap<string, string> => {
  known ??= readDigests()
  return known
}

const readDigests = (): ReadonlyMap<string, string> => {
  const lock: unknown = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const packages: unknown = Reflect.get(Object(lock), 'packages')
  return new Map(
    Object.entries(Object(packages)).flatMap(([path, entry]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      const version: unknown = Reflect.get(Object(entry), 'version')
      const integrity: unknown = Reflect.get(Object(entry), 'integrity')
      if (typeof version !== 'string' || typeof integrity !== 'string') return []
      const [, digest = ''] = /^sha512-(.+)$/.exec(integrity) ?? []
      return [[`${name}@${version}`, Buffer.from(digest, 'base64').toString('hex')] as const]
    }),
  )
}

/** The document, the same for the same parts. */
export const sbom = (
  { version, commit, time }: Release,
  artefact: string,
  components: readonly Component[],
): string => {
  const unique = new Map(components.map((component) => [component.purl, component]))
  const parts = [...unique.values()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1))
  const subject = `pkg:generic/${artefact}@${version}`
  const body = {
    version: 1,
    metadata: {
      timestamp: new Date(time * 1_000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': subject,
        name: artefact,
        version,
        licenses: [{ expression: 'Apache-2.0' }],
        purl: subject,
        properties: [{ name: 'commit', value: commit }],
      },
    },
    components: parts.map(entryOf),
    dependencies: [
      { ref: subject, dependsOn: parts.map(({ purl }) => purl) },
      ...parts.map(({ purl }) => ({ ref: purl })),
    ],
  }
  const head = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: serialOf(body) }
  return `${JSON.stringify({ ...head, ...body }, undefined, 1)}\n`
}

const entryOf = ({ name, version, license, purl, hash }: Component): object => {
  const [, group, local = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? []
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: local,
    version,
    ...(hash === undefined ? {} : { hashes: [hash] }),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    purl,
  }
}

/** A UUID (RFC 9562, version 8) of the content. */
const serialOf = (body: object): string => {
  const bytes = createHash('sha256').update(JSON.stringify(body)).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`
}
