// A kubeconfig as text: a new one, or one that people and kubectl keep, with a context added. Comments,
// order and whatever else is there stay as they are.

import {
  Document,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  visit,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { usageError } from '../usage-error.ts'

/** What is to stand in it. */
export interface KubeContext {
  /** The name of the context. */
  readonly name: string
  readonly cluster: NamedEntry
  readonly user: NamedEntry
}

/** An entry of `clusters` or `users`. */
export interface NamedEntry {
  readonly name: string
  /** Texts, switches, and lists and mappings of them. */
  readonly entry: Readonly<Record<string, unknown>>
  /** For whoever reads the file; a line or several. */
  readonly comment?: string
}

/** What may be changed of what is there. */
export interface MergeOptions {
  /** Whether entries of the same name give way to ours. */
  readonly replace: boolean
  /** Whether our context becomes the current one although there is another. */
  readonly use: boolean
}

const HEADER = ' Written by `countersign kubeconfig`.'

// Every plain scalar is a text to us, and is written as it was read: kubectl reads YAML 1.1, where `yes`
// is a switch and some dates are dates, and none of that is ours to change.
const AS_WRITTEN = { schema: 'failsafe' } as const

/** A kubeconfig with one context. */
export const newKubeconfig = (context: KubeContext): string => {
  const document = new Document({ apiVersion: 'v1', kind: 'Config' }, AS_WRITTEN)
  document.commentBefore = HEADER
  addTo(document, context, { replace: false, use: true })
  return document.toString({ lineWidth: 0, indentSeq: false })
}

/**
 * A kubeconfig with one context more.
 *
 * @param file for messages
 * @throws CountersignError `usage` when it is no kubeconfig, or has other entries of those names
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
    throw usageError(`${file} is no kubeconfig: ${error.message.split('\n', 1)[0]}`)
  const kind = isMap(document.contents) ? textOf(document.get('kind', true)) : 'nothing'
  if (kind !== 'Config' && kind !== '') throw usageError(`${file} is no kubeconfig`)
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

/** Puts an entry into a list of the document, where none of its name is there or it may give way. */
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
  else if (sameContent(found, item)) return
  else if (replace) items.items[at] = item
  else {
    throw new NameTaken(
      `has another ${key} "${name}": choose another name (--cluster, --user), or --replace it`,
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
    // An empty list is usually written `[]`: entries are to stand under it.
    if (found.items.length === 0) found.flow = false
    return found
  }
  // kubectl writes `null` for an empty list.
  if (found !== undefined && !(isScalar(found) && isNothing(textOf(found)))) {
    throw new NameTaken(`is no kubeconfig: "${name}" is no list`)
  }
  const empty = document.createNode([])
  document.set(name, empty)
  return empty
}

// What kubectl takes for nothing (YAML 1.1).
const NOTHING: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL'])

const isNothing = (text: string): boolean => NOTHING.has(text)

const textOf = (node: unknown): string =>
  isScalar(node) && typeof node.value === 'string' ? node.value : ''

const sameContent = (a: unknown, b: unknown): boolean =>
  JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

/** The content of a node, whatever the order of its keys. */
const sorted = (node: unknown): unknown => {
  if (isSeq(node)) return node.items.map(sorted)
  if (!isMap(node)) return isScalar(node) ? String(node.value) : node
  const pairs = node.items.map(({ key, value }): readonly [string, unknown] => [
    textOf(key),
    sorted(value),
  ])
  return pairs.toSorted(([left], [right]) => (left < right ? -1 : 1))
}

// What is a text in every version of YAML.
const SURELY_TEXT = /^[A-Za-z/][\w./@:=+-]*[\w/]$/
const WORDS: ReadonlySet<string> = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'null'])

/** A node, with every text quoted that kubectl might take for something else. */
const nodeOf = (document: Document, value: unknown): Node => {
  const node = document.createNode(withSwitches(value))
  visit(node, {
    Scalar(_key, scalar) {
      const text = textOf(scalar)
      const plain = SURELY_TEXT.test(text) && !WORDS.has(text.toLowerCase())
      if (!plain && scalar.type !== Scalar.PLAIN) scalar.type = Scalar.QUOTE_DOUBLE
    },
  })
  return node
}

/** The value, with switches as plain scalars, which the schema that we write by does not know. */
const withSwitches = (value: unknown): unknown => {
  if (typeof value === 'boolean') {
    const scalar = new Scalar(String(value))
    scalar.type = Scalar.PLAIN
    return scalar
  }
  if (Array.isArray(value)) return value.map(withSwitches)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withSwitches(member)]),
  )
}
