// The certificates, keys and secrets that a configuration names, wherever it does. They are found by the names of the
// keys, which are the same in every section, so that a new section needs no entry here.

import { isAbsolute } from 'node:path'
import type { SecretReference } from '../../config/values.ts'

type Path = readonly PropertyKey[]

/** A file, and the place in the document that names it. */
export interface NamedFile {
  readonly path: Path
  readonly file: string
}

/** What certificates a file holds. */
export interface NamedCertificates extends NamedFile {
  /**
   * `leaf`: what a side presents, with its chain. `client-ca`: of which the clients must have certificates. `ca`: of
   * which a server must have its certificate. `responder`: of an OCSP responder, which need not be a CA.
   */
  readonly role: 'leaf' | 'client-ca' | 'ca' | 'responder'
  /** The private key of a leaf, where it is a file. */
  readonly key?: NamedFile | undefined
}

/** Everything found. */
export interface NamedFiles {
  readonly certificates: readonly NamedCertificates[]
  /** Private keys, passwords and other secrets. */
  readonly secrets: readonly NamedFile[]
}

const ROLES: ReadonlyMap<string, NamedCertificates['role']> = new Map([
  ['ca', 'ca'],
  ['clientCa', 'client-ca'],
  ['trust', 'client-ca'],
  ['intermediates', 'client-ca'],
  ['responders', 'responder'],
])

/** Collects them from a parsed configuration. */
export const namedFiles = (config: object): NamedFiles => {
  const certificates: NamedCertificates[] = []
  const secrets: NamedFile[] = []
  for (const { value, path } of mappingsIn(config, [])) {
    for (const [key, member] of Object.entries(value)) {
      const at = [...path, key]
      const role = ROLES.get(key)
      if (role !== undefined) {
        for (const named of filesIn(member, at)) certificates.push({ ...named, role })
      } else if (key === 'certificate' && 'key' in value) {
        const [leaf] = filesIn(member, at)
        const [own] = filesIn(value['key'], [...path, 'key'])
        if (leaf !== undefined) certificates.push({ ...leaf, role: 'leaf', key: own })
      } else if (isFileReference(member) || (key === 'key' && isFile(member))) {
        secrets.push(...filesIn(member, at))
      }
    }
  }
  return { certificates, secrets }
}

function* mappingsIn(
  value: unknown,
  path: Path,
): Generator<{ readonly value: Readonly<Record<string, unknown>>; readonly path: Path }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* mappingsIn(item, [...path, index])
  } else if (isMapping(value) && !isFileReference(value)) {
    yield { value, path }
    for (const [key, member] of Object.entries(value)) {
      if (key !== 'authorize' && key !== 'tests') yield* mappingsIn(member, [...path, key])
    }
  }
}

const filesIn = (value: unknown, path: Path): readonly NamedFile[] => {
  if (isFile(value)) return [{ path, file: value }]
  if (isFileReference(value)) return [{ path, file: value.path }]
  if (!Array.isArray(value)) return []
  return value.flatMap((item, index) => filesIn(item, [...path, index]))
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A path, which is absolute once it is parsed, unlike the name of a CA. */
const isFile = (value: unknown): value is string => typeof value === 'string' && isAbsolute(value)

const isFileReference = (value: unknown): value is SecretReference & { readonly kind: 'file' } =>
  isMapping(value) && value['kind'] === 'file' && typeof value['path'] === 'string'
