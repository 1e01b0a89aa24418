// Text → the values of an API description. It is untrusted, and it may be large: what would take
// long, much memory or a deep stack is refused here, before anything walks through it.

import { CST, isAlias, isScalar, Lexer, parseDocument, visit, type Document } from 'yaml'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { parseJson } from '../../runtime/strict-json.ts'
import { repeatedKey } from './json-keys.ts'
import { faultAt } from './value.ts'

// The largest that are published have 14 million characters as JSON (GitHub Enterprise Cloud).
// YAML takes 30 times as long, and some 100 bytes of memory for each.
const MOST_JSON = 32 * 1024 * 1024
const MOST_YAML = 4 * 1024 * 1024
// Of GitHub's: 278,064 values, 21 deep. Aliases count as often as they are used.
const MOST_VALUES = 4_000_000
const DEEPEST = 200
// `*a` used more often than this, times what it holds: the bound of the library.
const MOST_USES = 100
// Of YAML. Docker's 465,000 characters are 72,400 tokens; aliases and tags are looked up in lists.
const MOST_TOKENS = 2_000_000
const MOST_MARKS = 2000

/**
 * Reads JSON (text that begins with `{`) or YAML. Reads no file and reaches no network.
 *
 * @throws CountersignError `malformed-openapi`: not JSON or YAML, one key twice in an object, too
 *   long, too deep, or too much once aliases are resolved
 */
export const readDocument = (text: string): JsonObject => {
  const json = /^\uFEFF?\s*\{/.test(text) ? text.replace(/^\uFEFF/, '') : undefined
  const value = json === undefined ? readYaml(text) : readJson(json)
  if (!isJsonObject(value)) throw faultAt([], 'must be an object (Swagger 2.0 or OpenAPI 3)')
  checkSize(value)
  const repeated = json === undefined ? undefined : repeatedKey(json)
  if (repeated !== undefined) throw twice(repeated.key, repeated.line)
  return value
}

const readJson = (json: string): unknown => {
  if (json.length > MOST_JSON) throw tooLong('JSON', MOST_JSON)
  try {
    return parseJson(json)
  } catch (cause) {
    throw faultAt([], `not JSON, though it begins with "{": ${describeError(cause)}`, cause)
  }
}

const readYaml = (text: string): unknown => {
  if (text.length > MOST_YAML) throw tooLong('YAML', MOST_YAML)
  checkTokens(text)
  try {
    // The library looks for repeated keys by comparing every pair of them.
    const document = parseDocument(text, { uniqueKeys: false, merge: false })
    const fault = document.errors[0] ?? document.warnings[0]
    if (fault !== undefined) throw fault
    checkKeys(document, text)
    return document.toJS({ maxAliasCount: MOST_USES })
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw faultAt([], `not YAML: ${firstLine(describeError(cause))}`, cause)
  }
}

/**
 * Before anything is built from them: a megabyte of "[", of tags, or of aliases kept the library
 * busy for seconds or minutes.
 */
const checkTokens = (text: string): void => {
  let tokens = 0
  let marks = 0
  let depth = 0
  for (const token of new Lexer().lex(text)) {
    tokens += 1
    const type = CST.tokenType(token)
    if (type === 'flow-seq-start' || type === 'flow-map-start') depth += 1
    else if (type === 'flow-seq-end' || type === 'flow-map-end') depth -= 1
    else if (type === 'alias' || type === 'anchor' || type === 'tag') marks += 1
    if (depth > DEEPEST) throw tooDeep()
    if (marks > MOST_MARKS) throw faultAt([], `more than ${MOST_MARKS} anchors, aliases and tags`)
    if (tokens > MOST_TOKENS) throw faultAt([], 'too much YAML; convert it to JSON')
  }
}

const firstLine = (message: string): string => message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''

const checkKeys = (document: Document, text: string): void => {
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>()
      for (const { key } of items) {
        if (isAlias(key) || !isScalar(key)) throw faultAt([], 'every key must be a plain text')
        const name = String(key.value)
        if (seen.has(name)) {
          throw twice(name, text.slice(0, key.range?.[0] ?? 0).split('\n').length)
        }
        seen.add(name)
      }
    },
  })
}

const twice = (key: string, line: number): Error =>
  faultAt([], `line ${line}: the key ${JSON.stringify(key)} occurs twice in one object; remove one`)

const tooLong = (form: string, most: number): Error =>
  faultAt(
    [],
    `longer than ${most / 1024 / 1024} million characters of ${form}; leave out examples and descriptions${form === 'YAML' ? ', or convert it to JSON' : ''}`,
  )

const tooDeep = (): Error => faultAt([], `nested more than ${DEEPEST} levels deep`)

/** Without recursion: what comes after may call itself for every level. */
const checkSize = (root: JsonObject): void => {
  let level: readonly unknown[] = [root]
  let values = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw tooDeep()
    values += level.length
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      for (const inner of Object.values(value)) next.push(inner)
      if (values + next.length > MOST_VALUES) {
        throw faultAt([], `more than ${MOST_VALUES} values, counting each use of an alias`)
      }
    }
    level = next
  }
}
