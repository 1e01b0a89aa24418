// YAML text → plain values and their positions, or its faults. Needs no schema, so that another thread can do it.

import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { positionsOf, type Positions } from './positions.ts'
import type { Problem } from './problem.ts'
import { describeError } from '../runtime/errors.ts'
import { pemLabel } from './pem-label.ts'
import { faultOffset, faultText } from './yaml-fault.ts'

/** What a text holds, or what keeps it from being read. */
export type YamlReading =
  | {
      readonly ok: true
      readonly raw: unknown
      readonly positions: Positions
      readonly aliases: boolean
    }
  | { readonly ok: false; readonly faults: readonly YamlFault[] }

/** One fault of a text. */
export type YamlFault = Pick<Problem, 'position' | 'message'>

/** Reads YAML (JSON is a subset) with one document, which is not empty. */
export const readYaml = (text: string): YamlReading => {
  const label = pemLabel(text)
  if (label !== undefined) {
    return { ok: false, faults: [{ message: `holds PEM ("${label}"), where YAML belongs` }] }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: false })
  const fault = (offset: number, message: string): YamlFault => {
    const { line, col } = lines.linePos(offset)
    return { position: { line, column: col }, message }
  }
  const [first, ...others] = document.errors
  if (first !== undefined) {
    const more = others.length > 0 ? '. Correct this first: what follows cannot be read' : ''
    return {
      ok: false,
      faults: [fault(faultOffset(first, document), faultText(first, text) + more)],
    }
  }
  const faults = document.warnings.map((error) => fault(error.pos[0], faultText(error, text)))
  const { repeated, unresolved, aliases } = survey(document)
  for (const { key, offset, before } of repeated) {
    const message = `"${key}" is also in line ${lines.linePos(before).line} of the same mapping`
    faults.push(fault(offset, message))
  }
  for (const { name, offset } of unresolved) {
    const message = `"*${name}" is read as an alias of YAML, and there is no "&${name}": put a value that begins with "*" in quotes`
    faults.push(fault(offset, message))
  }
  if (faults.length > 0) return { ok: false, faults }
  // maxAliasCount bounds "billion laughs" documents; toJS throws beyond it.
  let raw: unknown
  try {
    raw = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return { ok: false, faults: [fault(document.contents?.range?.[0] ?? 0, describeError(cause))] }
  }
  if (raw === null) return { ok: false, faults: [{ message: 'the file is empty' }] }
  return { ok: true, raw, positions: positionsOf(document, raw, lines), aliases }
}

/** A key that occurs twice. */
interface RepeatedKey {
  readonly key: string
  readonly offset: number
  /** The offset of the key before it. */
  readonly before: number
}

interface Survey {
  readonly repeated: readonly RepeatedKey[]
  /** Aliases without an anchor before them. */
  readonly unresolved: readonly { readonly name: string; readonly offset: number }[]
  readonly aliases: boolean
}

/**
 * What the library does not report well. It looks for repeated keys by comparing every pair of keys: with
 * 10,000 users that took two seconds.
 */
const survey = (document: Document): Survey => {
  const repeated: RepeatedKey[] = []
  const unresolved: { name: string; offset: number }[] = []
  const anchors = new Set<string>()
  let aliases = false
  const note = ({ anchor }: { readonly anchor?: string }): void => {
    if (anchor !== undefined) anchors.add(anchor)
  }
  visit(document, {
    Value: (_key, node) => note(node),
    Alias(_key, { source, range }) {
      aliases = true
      if (!anchors.has(source)) unresolved.push({ name: source, offset: range?.[0] ?? 0 })
    },
    Map(_key, node) {
      note(node)
      const seen = new Map<unknown, number>()
      for (const { key } of node.items) {
        if (!isScalar(key)) continue
        const offset = key.range?.[0] ?? 0
        const before = seen.get(key.value)
        if (before !== undefined) repeated.push({ key: String(key.value), offset, before })
        else seen.set(key.value, offset)
      }
    },
  })
  return { repeated, unresolved, aliases }
}
