// A YAML document checked against a schema: every problem with its line and column. It knows
// nothing of the document's purpose; it reads the configuration and the users file.

import { dirname } from 'node:path'
import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { z } from 'zod'
import type { Problem } from './problem.ts'
import { unknownKey, type RenamedKey } from './renamed-key.ts'
import { resolvingFrom } from './values.ts'
import { formatPath, offsetOf, type DocumentPath } from './yaml-position.ts'

/** A document that fits its schema (deeply frozen), or everything that is wrong with it. */
export type DocumentResult<T> =
  | { readonly ok: true; readonly value: T; readonly locate: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Makes a problem out of a path into the document and a message. */
export type Locate = (path: DocumentPath, message: string) => Problem

/**
 * Parses YAML (JSON is a subset) and checks it against a schema.
 *
 * @param file the absolute path, for messages and as the start of relative paths in the document
 * @param renamed keys that had another name
 */
export const parseYaml = <Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
  renamed: readonly RenamedKey[] = [],
): DocumentResult<z.output<Schema>> => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: false })
  const at = (offset: number): NonNullable<Problem['position']> => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const faults = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    offset: pos[0],
    message: firstLine(message),
  }))
  faults.push(...repeatedKeys(document))
  if (faults.length > 0) {
    const problems = faults.map(({ offset, message }) => ({
      file,
      position: at(offset),
      path: '',
      message,
    }))
    return { ok: false, problems }
  }
  const locate: Locate = (path, message) => {
    const offset = offsetOf(document, path)
    const place = { file, path: formatPath(path), message }
    return offset === undefined ? place : { ...place, position: at(offset) }
  }
  // maxAliasCount bounds "billion laughs" documents; toJS throws beyond it.
  let raw: unknown
  try {
    raw = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return { ok: false, problems: [locate([], firstLine(String(cause)))] }
  }
  if (raw === null) return { ok: false, problems: [locate([], 'the file is empty')] }
  const parsed = resolvingFrom(dirname(file), () => schema.safeParse(raw, { reportInput: true }))
  if (parsed.success) return { ok: true, value: deepFreeze(parsed.data), locate }
  return {
    ok: false,
    problems: parsed.error.issues.flatMap((issue) => explain(issue, [], { locate, renamed })),
  }
}

/**
 * Keys that occur twice in one mapping. The library looks for them too, by comparing every pair of
 * keys: with 10,000 users that took two seconds.
 */
const repeatedKeys = (document: Document): { offset: number; message: string }[] => {
  const found: { offset: number; message: string }[] = []
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          found.push({ offset: key.range?.[0] ?? 0, message: 'Map keys must be unique' })
        }
        seen.add(key.value)
      }
    },
  })
  return found
}

const firstLine = (message: string): string => message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''

interface Explaining {
  readonly locate: Locate
  readonly renamed: readonly RenamedKey[]
}

/** One zod issue → problems: unknown keys one by one, unions by the branch that was meant. */
const explain = (
  issue: z.core.$ZodIssue,
  prefix: DocumentPath,
  explaining: Explaining,
): readonly Problem[] => {
  const { locate, renamed } = explaining
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => locate([...path, key], unknownKey(path, key, renamed)))
  }
  if (issue.input === undefined && issue.path.length > 0) {
    return [locate(path, 'required, but missing')]
  }
  if (issue.code === 'invalid_union') {
    const [meant] = issue.errors
      .filter(
        (issues) =>
          !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
      )
      .toSorted((one, other) => misfit(one) - misfit(other))
    if (meant !== undefined) return meant.flatMap((inner) => explain(inner, path, explaining))
  }
  if (issue.code === 'invalid_key') {
    return [locate(path, issue.issues.map((inner) => inner.message).join('; '))]
  }
  return [locate(path, issue.message)]
}

/** How far an object is from being what a branch is for: keys that are unknown, missing or at odds. */
const misfit = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0)
      return sum + issue.keys.length
    const isMissing = issue.input === undefined && issue.path.length === 1
    return isMissing || issue.path.length === 0 ? sum + 1 : sum
  }, 0)

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
