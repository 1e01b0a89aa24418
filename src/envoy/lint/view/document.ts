// The text of an Envoy configuration → its settings, and back from a setting to its line. Refuses
// what Envoy could not read either, and what is made to exhaust whoever reads it.

import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type ScalarTag,
} from 'yaml'
import { findInJson } from './json-text.ts'
import { Setting, type Path } from './setting.ts'

/** 1-based. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A document that could be read. */
interface EnvoyDocument {
  readonly root: Setting
  /** Settings that their message has already had; Envoy takes the last, without a word. */
  readonly repeated: readonly Setting[]
  /** Where paths begin in the text; for settings that are missing, where their parent begins. */
  readonly positionsOf: (paths: readonly Path[]) => readonly Position[]
}

/** A document, or why there is none. */
export type DocumentReading =
  | { readonly ok: true; readonly document: EnvoyDocument }
  | { readonly ok: false; readonly position?: Position; readonly reason: string }

// The YAML parser takes 2 s and 250 MB of memory for each megabyte; that of JSON nearly none.
const LARGEST_YAML = 4 * 1_024 * 1_024
// Envoy's messages are nested some 40 deep, and protobuf reads 100 levels at most.
const DEEPEST = 200
// Bounds "billion laughs": how often, all in all, one anchor may be used.
const MOST_ALIASES = 1_000

/** Reads YAML or JSON. */
export const readDocument = (text: string): DocumentReading => {
  try {
    const json = parseJson(text)
    return json === undefined ? readYaml(text) : readJson(text, json.value)
  } catch (cause) {
    // Both parsers call themselves for what is nested, and have no limit of their own.
    if (cause instanceof RangeError) return TOO_DEEP
    throw cause
  }
}

const TOO_DEEP = {
  ok: false,
  reason: `it is nested deeper than ${DEEPEST} levels`,
} as const

const parseJson = (text: string): { readonly value: unknown } | undefined => {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined // YAML can begin like that too, and says better what is wrong
  }
}

const readJson = (text: string, value: unknown): DocumentReading => {
  if (isTooDeep(value)) return TOO_DEEP
  const root = new Setting(value)
  if (!root.isMessage) return NO_MESSAGE
  const { repeated } = findInJson(text, [], sameName)
  const starts = lineStarts(text)
  return {
    ok: true,
    document: {
      root,
      repeated: repeated.map((path) => new Setting(undefined, path)),
      positionsOf: (paths) =>
        findInJson(text, paths, sameName).offsets.map((offset) => positionAt(starts, offset)),
    },
  }
}

const NO_MESSAGE = { ok: false, reason: 'it is no mapping of settings' } as const

// Envoy passes over what stands under a key with this tag; anchors are defined there.
const IGNORE: ScalarTag = { tag: '!ignore', resolve: (text) => `!ignore ${text}` }

const readYaml = (text: string): DocumentReading => {
  if (text.length > LARGEST_YAML) {
    return { ok: false, reason: 'it is larger than 4 MiB; only JSON may be' }
  }
  const starts = lineStarts(text)
  const document = parseDocument(text, {
    uniqueKeys: false,
    merge: false, // Envoy knows no merge keys
    customTags: (tags) => [...tags, IGNORE],
  })
  const [fault] = document.errors
  if (fault !== undefined) {
    const reason = fault.message.split('\n', 1)[0] ?? ''
    if (reason.includes('call stack')) return TOO_DEEP
    return { ok: false, position: positionAt(starts, fault.pos[0]), reason: `no YAML: ${reason}` }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (cause) {
    // ReferenceError: aliases that multiply, or lead nowhere.
    return { ok: false, reason: `no YAML: ${cause instanceof Error ? cause.message : ''}` }
  }
  if (isTooDeep(value)) return TOO_DEEP
  const root = new Setting(value)
  if (!root.isMessage) return NO_MESSAGE
  return {
    ok: true,
    document: {
      root,
      repeated: repeatedKeys(document.contents, []).map((path) => new Setting(undefined, path)),
      positionsOf: (paths) => paths.map((path) => positionAt(starts, offsetInYaml(document, path))),
    },
  }
}

const isTooDeep = (value: unknown, depth = 0): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth > DEEPEST || Object.values(value).some((member) => isTooDeep(member, depth + 1)))

const repeatedKeys = (node: unknown, path: Path): readonly Path[] => {
  if (isSeq(node)) return node.items.flatMap((item, index) => repeatedKeys(item, [...path, index]))
  if (!isMap(node)) return []
  const seen = new Set<string>()
  return node.items.flatMap(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : ''
    const same = sameName(name, path)
    const repeated = seen.has(same) ? [[...path, name]] : []
    seen.add(same)
    return [...repeated, ...repeatedKeys(value, [...path, name])]
  })
}

// Keys in here are somebody's data, in which two spellings are two keys.
const DATA: ReadonlySet<string | number> = new Set([
  'context_extensions',
  'contextExtensions',
  'filter_context',
  'filterContext',
  'labels',
  'metadata',
])

/** One name for both spellings of a field. */
const sameName = (name: string, path: Path): string =>
  /^[a-z]+[A-Z]/.test(name) && !path.some((step) => DATA.has(step))
    ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : name

const offsetInYaml = (document: Document, path: Path): number => {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (!isCollection(node)) break
    if (isMap(node)) {
      // The last of several is the one that counts.
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === step)
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset
      node = pair?.value
    } else {
      node = node.items[Number(step)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    }
  }
  return offset
}

/** The offsets at which lines begin. */
const lineStarts = (text: string): readonly number[] => [
  0,
  ...text.matchAll(/\n/g).map(({ index }) => index + 1),
]

const positionAt = (starts: readonly number[], offset: number): Position => {
  let [line, after] = [0, starts.length] // the line is at least `line` and before `after`
  while (after - line > 1) {
    const middle = (line + after) >>> 1
    if ((starts[middle] ?? 0) <= offset) line = middle
    else after = middle
  }
  return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
}
