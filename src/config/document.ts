// A YAML document checked against a schema: every problem with its line and column. It knows
// nothing of the document's purpose; it reads the configuration and the users file.

import { dirname } from 'node:path'
import type * as z from 'zod'
import { Slices } from '../runtime/slices.ts'
import { deepFreeze } from './deep-freeze.ts'
import { checkedInSlices, type LongPart } from './long-parts.ts'
import { otherDocument } from './other-document.ts'
import { PositionFinder } from './positions.ts'
import { issueText } from './issue-text.ts'
import { keysAt } from './known-keys.ts'
import type { Problem } from './problem.ts'
import { unknownKey, type RenamedKey } from './renamed-key.ts'
import { nearest } from './suggestion.ts'
import { resolvingFrom } from './values.ts'
import { formatPath, type DocumentPath } from './yaml-position.ts'
import { readYaml } from './yaml-text.ts'
import { readYamlApart, type YamlResult } from './yaml-thread.ts'

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
  const reading = readYaml(text)
  if (!reading.ok) return { ok: false, problems: faultsOf(file, reading) }
  const locate = locator(file, reading)
  const other = otherDocument(reading.raw, keysAt(schema, []))
  if (other !== undefined) return { ok: false, problems: [locate([], other)] }
  const parsed = resolvingFrom(dirname(file), () =>
    schema.safeParse(reading.raw, { reportInput: true, error: issueText }),
  )
  if (parsed.success) return { ok: true, value: deepFreeze(parsed.data), locate }
  const explaining = explainingBy({ locate, renamed, schema })
  const problems = parsed.error.issues.flatMap((issue) => explain(issue, [], explaining))
  return { ok: false, problems: withoutMisspelt(problems, explaining) }
}

/** What {@link parseYamlInSlices} needs to know of a kind of document. */
export interface DocumentKind<Schema extends z.ZodType> {
  readonly schema: Schema
  /** Keys that had another name. */
  readonly renamed?: readonly RenamedKey[]
  /** What of it may be long, an outer part before an inner one. */
  readonly longParts: (raw: unknown) => Iterable<LongPart>
}

/**
 * The same as {@link parseYaml}, without keeping the event loop: a long text is read in another thread, and
 * long parts are checked in slices, whose problems come after those of the rest.
 *
 * @param slices of the work that it is part of
 */
export const parseYamlInSlices = async <Schema extends z.ZodType>(
  file: string,
  text: string,
  { schema, renamed = [], longParts }: DocumentKind<Schema>,
  slices = new Slices(),
): Promise<DocumentResult<z.output<Schema>>> => {
  const reading = await readYamlApart(text, slices)
  if (!reading.ok) return { ok: false, problems: faultsOf(file, reading) }
  const { raw } = reading
  const locate = locator(file, reading)
  const other = otherDocument(raw, keysAt(schema, []))
  if (other !== undefined) return { ok: false, problems: [locate([], other)] }
  const folder = dirname(file)
  const checked = await checkedInSlices(raw, { schema, parts: longParts(raw), folder }, slices)
  if (checked.ok) return { ok: true, value: deepFreeze(checked.value), locate }
  const explaining = explainingBy({ locate, renamed, schema })
  const problems: Problem[] = []
  for (const issue of checked.issues) {
    problems.push(...explain(issue, [], explaining))
    await slices.pause()
  }
  return { ok: false, problems: withoutMisspelt(problems, explaining) }
}

const faultsOf = (file: string, { faults }: Extract<YamlResult, { ok: false }>): Problem[] =>
  faults.map((fault) => ({ file, path: '', ...fault }))

const locator = (file: string, { raw, positions }: Extract<YamlResult, { ok: true }>): Locate => {
  const finder = new PositionFinder(raw, positions)
  return (path, message) => ({ file, path: formatPath(path), message, position: finder.find(path) })
}

interface Explaining {
  readonly locate: Locate
  readonly renamed: readonly RenamedKey[]
  readonly schema: z.ZodType
  /** Paths of keys that are there, misspelt. */
  readonly misspelt: Set<string>
}

const explainingBy = (parts: Omit<Explaining, 'misspelt'>): Explaining => ({
  ...parts,
  misspelt: new Set(),
})

const MISSING = 'required, but missing'

/** Without keys that are missing because they are misspelt: one slip is one problem. */
const withoutMisspelt = (
  problems: readonly Problem[],
  { misspelt }: Explaining,
): readonly Problem[] =>
  problems.filter(({ path, message }) => message !== MISSING || !misspelt.has(path))

const unknownKeys = (
  path: DocumentPath,
  keys: readonly string[],
  { locate, renamed, schema, misspelt }: Explaining,
): readonly Problem[] => {
  const known = keysAt(schema, path)
  return keys.map((key) => {
    const meant = nearest(key, known)
    if (meant !== undefined) misspelt.add(formatPath([...path, meant]))
    return locate([...path, key], unknownKey(path, key, renamed, meant))
  })
}

/** One zod issue → problems: unknown keys one by one, unions by the branch that was meant. */
const explain = (
  issue: z.core.$ZodIssue,
  prefix: DocumentPath,
  explaining: Explaining,
): readonly Problem[] => {
  const { locate } = explaining
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') return unknownKeys(path, issue.keys, explaining)
  if (issue.input === undefined && issue.path.length > 0) return [locate(path, MISSING)]
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
