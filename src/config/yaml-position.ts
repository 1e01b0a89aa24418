// Positions in documents: which text a path leads to, and how paths are written in messages.

import { isAlias, isMap, isNode, isScalar, isSeq, type Document } from 'yaml'

/** The way to a value: keys of mappings, positions in lists. */
export type DocumentPath = readonly PropertyKey[]

/**
 * The offset at which a path begins; of a key that is missing, the offset of its parent.
 * Of repeated keys the last one counts, as it does for parsers that accept them.
 */
export const offsetOf = (document: Document, path: DocumentPath): number | undefined => {
  let node: unknown = document.contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.findLast(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      )
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset
      node = pair?.value
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      if (isNode(node)) offset = node.range?.[0] ?? offset
    } else {
      break
    }
  }
  return offset
}

/** `['routes', 0, 'a.b']` → `routes[0]["a.b"]`: only plain names are without quotes. */
export const formatPath = (path: DocumentPath): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    const name = String(step)
    if (!/^[\w-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`
    return text === '' ? name : `${text}.${name}`
  }, '')
