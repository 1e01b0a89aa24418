// The files and secrets that a section refers to, read: what a schema yields becomes the settings that the
// code takes, and each reference that cannot be read is a problem at the field that has it.

import { digestOf } from '../runtime/digest.ts'
import { Redacted } from '../runtime/redacted.ts'
import type { ConfigurationFiles } from './files.ts'
import type { ProblemList } from './problem-list.ts'
import { withoutLineEnd } from './secret-text.ts'
import { readSecret } from './secret.ts'
import type { SecretReference } from './values.ts'

/** The contents of a file or an environment variable. No log can print them. */
export class Secret extends Redacted {
  readonly #bytes: Buffer

  constructor(contents: Uint8Array | string) {
    super()
    this.#bytes = Buffer.from(contents)
  }

  /** The contents. */
  bytes(): Buffer {
    return this.#bytes
  }

  /** The contents as UTF-8. */
  text(): string {
    return this.#bytes.toString('utf8')
  }
}

/** What a schema yields, with a {@link Secret} in place of each reference. */
export type Resolved<T> = T extends SecretReference
  ? Secret
  : T extends RegExp
    ? T
    : { readonly [Key in keyof T]: Resolved<T[Key]> }

/** The settings, and a text that differs where any of them or any contents do. */
export interface Resolution<T> {
  readonly settings: Resolved<T>
  readonly generation: string
}

/**
 * Reads every reference in a section, without the line end that editors put at the end of a file.
 *
 * @param path of the section in the document
 * @returns `undefined` where one cannot be read, each of which is in `problems`
 */
export const resolveReferences = async <T>(
  section: T,
  path: readonly PropertyKey[],
  { files, problems }: { readonly files: ConfigurationFiles; readonly problems: ProblemList },
): Promise<Resolution<T> | undefined> => {
  const leaves: unknown[] = []
  let unreadable = false
  const read = async (reference: SecretReference, at: readonly PropertyKey[]): Promise<Secret> => {
    const contents = await problems.collect(at, () => readSecret(reference, files))
    unreadable ||= contents === undefined
    const secret = new Secret(withoutLineEnd(contents ?? Buffer.alloc(0)))
    leaves.push([at.slice(path.length), digestOf(secret.bytes().toString('base64'))])
    return secret
  }
  const resolve = async (value: unknown, at: readonly PropertyKey[]): Promise<unknown> => {
    if (isReference(value)) return await read(value, at)
    if (Array.isArray(value)) {
      const items: unknown[] = []
      for (const [index, item] of value.entries()) items.push(await resolve(item, [...at, index]))
      return items
    }
    if (isPlain(value)) {
      const entries: [string, unknown][] = []
      for (const [key, item] of Object.entries(value)) {
        entries.push([key, await resolve(item, [...at, key])])
      }
      return Object.fromEntries(entries)
    }
    leaves.push([at.slice(path.length), value instanceof RegExp ? String(value) : value])
    return value
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same shape, with secrets for references
  const settings = (await resolve(section, path)) as Resolved<T>
  return unreadable ? undefined : { settings, generation: digestOf(leaves) }
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const isReference = (value: unknown): value is SecretReference =>
  isPlain(value) &&
  ((value['kind'] === 'file' && typeof value['path'] === 'string') ||
    (value['kind'] === 'environment' && typeof value['variable'] === 'string'))
