// YAML text → plain values and their positions, or its faults. Needs no schema, so that another thread can do it.

import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { positionsOf, type Positions } from './positions.ts'
import type { Problem } from './problem.ts'

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
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: false })
  const fault = (offset: number, message: string): YamlFault => {
    const { line, col } = lines.linePos(offset)
    return { position: { line, column: col }, message: firstLine(message) }
  }
  const faults = [...document.errors, ...document.warnings].map(({ pos, message }) =>
    fault(pos[0], message),
  )
  const { repeated, aliases } = survey(document)
  faults.push(...repeated.map((offset) => fault(offset, 'Map keys must be unique')))
  if (faults.length > 0) return { ok: false, faults }
  // maxAliasCount bounds "billion laughs" documents; toJS throws beyond it.
  let raw: unknown
  try {
    raw = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return { ok: false, faults: [fault(document.contents?.range?.[0] ?? 0, String(cause))] }
  }
  if (raw === null) return { ok: false, faults: [{ message: 'the file is empty' }] }
  return { ok: true, raw, positions: positionsOf(document, raw, lines), aliases }
}

/**
 * Keys that occur twice in one mapping. The library looks for them too, by comparing every pair of
 * keys: with 10,000 users that took two seconds.
 */
const survey = (document: Document): { repeated: number[]; aliases: boolean } => {
  const repeated: number[] = []
  let aliases = false
  visit(document, {
    Alias() {
      aliases = true
    },
    Map(_key, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) repeated.push(key.range?.[0] ?? 0)
        seen.add(key.value)
      }
    },
  })
  return { repeated, aliases }
}

const firstLine = (message: string): string => message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''
