// The text of a kubeconfig: a new one, or an existing one with a context added. Comments, order and other
// content of an existing file are kept.

import { isDeepStrictEqual } from 'node:util'
import {
  Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  stringify,
  visit,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { usageError } from '../usage-error.ts'

/** A context with its cluster and its user. */
export interface KubeContext {
  readonly name: string
  readonly cluster: NamedEntry
  readonly user: NamedEntry
}

/** An entry of `clusters` or `users`. */
export interface NamedEntry {
  readonly name: string
  /** Strings, booleans, and lists and mappings of them. */
  readonly entry: Readonly<Record<string, unknown>>
  /** A comment in the file, of one or several lines. */
  readonly comment?: string
}

/** The permitted changes of an existing file. */
export interface MergeOptions {
  /** Whether to replace entries of the same name. */
  readonly replace: boolean
  /** Whether to replace the current context. */
  readonly use: boolean
}

const HEADER = ' Written by `countersign kubeconfig`.'

// Every plain scalar is read as a string and written unchanged. kubectl reads YAML 1.1, in which `yes` is a
// boolean and some strings are dates; another schema would reformat them.
const AS_WRITTEN = { schema: 'failsafe' } as const

/** A kubeconfig with one context. */
export const newKubeconfig = (context: KubeContext): string => {
  const document = new Document({ apiVersion: 'v1', kind: 'Config' }, AS_WRITTEN)
  document.commentBefore = HEADER
  addTo(document, context, { replace: false, use: true })
  return document.toString({ lineWidth: 0, indentSeq: false })
}

/**
 * A kubeconfig with an added context.
 *
 * @param file for messages
 * @throws CountersignError `usage` for another document, or when entries of those names differ
 */
export const mergedKubeconfig = (
  file: string,
  text: string,
  context: KubeContext,
  options: MergeOptions,
): string => {
  if (text.trim() === '') return newKubeconfig(context)
  const document = parseDocument(text, AS_WRITTEN)
  const [error] = document.errors
  if (error !== undefined)
    throw usageError(`${file} is not a kubeconfig: ${error.message.split('\n', 1)[0]}`)
  const kind = isMap(document.contents) ? textOf(document.get('kind', true)) : 'nothing'
  if (kind !== 'Config' && kind !== '') throw usageError(`${file} is not a kubeconfig`)
  for (const [key, value] of [
    ['apiVersion', 'v1'],
    ['kind', 'Config'],
  ] as const) {
    if (!document.has(key)) document.set(key, value)
  }
  try {
    addTo(document, context, options)
  } catch (cause) {
    if (cause instanceof NameTaken) throw usageError(`${file} ${cause.message}`)
    throw cause
  }
  const indentSeq = !/^- /m.test(text)
  return document.toString({ lineWidth: 0, indentSeq })
}

class NameTaken extends Error {}

const addTo = (
  document: Document,
  { name, cluster, user }: KubeContext,
  { replace, use }: MergeOptions,
): void => {
  const context = { name, entry: { cluster: cluster.name, user: user.name } }
  put(document, 'clusters', 'cluster', cluster, replace)
  put(document, 'users', 'user', user, replace)
  put(document, 'contexts', 'context', context, replace)
  const current = textOf(document.get('current-context', true))
  if (use || isNothing(current)) document.set('current-context', nodeOf(document, name))
}

/** Adds an entry to a list of the document, or replaces the entry of its name. */
const put = (
  document: Document,
  list: string,
  key: string,
  { name, entry, comment }: NamedEntry,
  replace: boolean,
): void => {
  const item = nodeOf(document, { name, [key]: entry })
  if (comment !== undefined && isMap(item)) commentOn(item, key, comment)
  const items = listIn(document, list)
  const at = items.items.findIndex(
    (found) => isMap(found) && textOf(found.get('name', true)) === name,
  )
  const found = items.items[at]
  if (found === undefined) items.add(item)
  else if (isNode(found) && isDeepStrictEqual(found.toJS(document), item.toJS(document))) return
  else if (replace) items.items[at] = item
  else {
    throw new NameTaken(
      `has another ${key} "${name}": choose another name (--cluster, --user), or use --replace`,
    )
  }
}

const commentOn = (item: YAMLMap, key: string, comment: string): void => {
  const pair = item.items.find((candidate) => textOf(candidate.key) === key)
  if (!isScalar(pair?.key)) return
  pair.key.commentBefore = comment
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n')
}

const listIn = (document: Document, name: string): YAMLSeq => {
  const found = document.get(name, true)
  if (isSeq(found)) {
    // An empty list is usually written `[]`; entries are written in block style.
    if (found.items.length === 0) found.flow = false
    return found
  }
  // kubectl writes `null` for an empty list.
  if (found !== undefined && !(isScalar(found) && isNothing(textOf(found)))) {
    throw new NameTaken(`is not a kubeconfig: "${name}" must be a list`)
  }
  const empty = document.createNode([])
  document.set(name, empty)
  return empty
}

// The spellings of null in YAML 1.1.
const NOTHING: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL'])

const isNothing = (text: string): boolean => NOTHING.has(text)

const textOf = (node: unknown): string =>
  isScalar(node) && typeof node.value === 'string' ? node.value : ''

// kubectl reads 1.1, most other programs 1.2.
const VERSIONS = ['1.1', '1.2'] as const

/** A node in which every string is quoted that either version reads as another type. */
const nodeOf = (document: Document, value: unknown): Node => {
  const node = document.createNode(value)
  visit(node, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'boolean') scalar.value = String(scalar.value)
      else if (VERSIONS.some((version) => /^['"]/.test(stringify(scalar.value, { version })))) {
        scalar.type = Scalar.QUOTE_DOUBLE
      }
    },
  })
  return node
}
