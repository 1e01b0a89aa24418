// The text of an Envoy configuration → its settings, and a setting → its line and column. Refuses
// text that Envoy could not read either, and text that would exhaust memory or the call stack.

import { isMap, isScalar, isSeq, LineCounter, parseDocument, type ScalarTag } from 'yaml'
import { offsetOf } from '../../../config/yaml-position.ts'
import { offsetsIn, repeatedMembers } from './json-positions.ts'
import { Setting, type Path } from './setting.ts'

/** 1-based. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A document that could be read. */
interface EnvoyDocument {
  readonly root: Setting
  /** Settings that their message already has; Envoy takes the last one and reports nothing. */
  readonly repeated: readonly Setting[]
  /** Where paths begin in the text; of a missing setting, where its parent begins. */
  readonly positionsOf: (paths: readonly Path[]) => readonly Position[]
}

/** A document, or the reason why the text cannot be parsed. */
export type DocumentReading =
  | { readonly ok: true; readonly document: EnvoyDocument }
  | { readonly ok: false; readonly position?: Position; readonly reason: string }

// The YAML parser takes 2 s and 250 MB of memory for each megabyte; the JSON parser 0.1 s.
const LARGEST_YAML = 4 * 1_024 * 1_024
// Envoy's messages are nested some 40 deep, and protobuf reads 100 levels at most.
const DEEPEST = 200
// Bounds "billion laughs": how often one anchor may be used, in total.
const MOST_ALIASES = 1_000

/** Reads YAML or JSON. */
export const readDocument = (text: string): DocumentReading => {
  try {
    const json = parseJson(text)
    return json === undefined ? readYaml(text) : readJson(text, json.value)
  } catch (cause) {
    // Both parsers recurse into nested values and have no depth limit.
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
    return undefined // YAML can begin so too, and its parser reports the fault with a position
  }
}

const readJson = (text: string, value: unknown): DocumentReading => {
  if (isTooDeep(value)) return TOO_DEEP
  const root = new Setting(value)
  if (!root.isMessage) return NO_MESSAGE
  const lines = linesOf(text)
  return {
    ok: true,
    document: {
      root,
      repeated: repeatedMembers(text, canonicalName).map((path) => new Setting(undefined, path)),
      positionsOf: (paths) => offsetsIn(text, paths).map((offset) => positionAt(lines, offset)),
    },
  }
}

const NO_MESSAGE = { ok: false, reason: 'it is not a mapping of settings' } as const

// Envoy ignores the value of a key with this tag; anchors are defined there.
const IGNORE: ScalarTag = { tag: '!ignore', resolve: (text) => `!ignore ${text}` }

const readYaml = (text: string): DocumentReading => {
  if (text.length > LARGEST_YAML) {
    return { ok: false, reason: 'YAML larger than 4 MiB is not read; convert it to JSON' }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: false, // Envoy knows no merge keys
    customTags: (tags) => [...tags, IGNORE],
  })
  const [fault] = document.errors
  if (fault !== undefined) {
    const reason = fault.message.split('\n', 1)[0] ?? ''
    if (reason.includes('call stack')) return TOO_DEEP
    return {
      ok: false,
      position: positionAt(lines, fault.pos[0]),
      reason: `not valid YAML: ${reason}`,
    }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch (cause) {
    // ReferenceError: aliases that multiply, or have no anchor.
    return { ok: false, reason: `not valid YAML: ${cause instanceof Error ? cause.message : ''}` }
  }
  if (isTooDeep(value)) return TOO_DEEP
  const root = new Setting(value)
  if (!root.isMessage) return NO_MESSAGE
  return {
    ok: true,
    document: {
      root,
      repeated: repeatedKeys(document.contents, []).map((path) => new Setting(undefined, path)),
      positionsOf: (paths) => paths.map((path) => positionAt(lines, offsetOf(document, path) ?? 0)),
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
    const same = canonicalName(name, () => path)
    const repeated = seen.has(same) ? [[...path, name]] : []
    seen.add(same)
    return [...repeated, ...repeatedKeys(value, [...path, name])]
  })
}

// Messages with keys that are data: two spellings are two keys.
const DATA: ReadonlySet<string | number> = new Set([
  'context_extensions',
  'contextExtensions',
  'filter_context',
  'filterContext',
  'labels',
  'metadata',
])

/** One name for both spellings of a field. */
const canonicalName = (name: string, path: () => Path): string =>
  /^[a-z]+[A-Z]/.test(name) && !path().some((step) => DATA.has(step))
    ? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : name

/** The lines of text that no YAML parser has counted. */
const linesOf = (text: string): LineCounter => {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1)
  return lines
}

const positionAt = (lines: LineCounter, offset: number): Position => {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}
