// Templates of one method as a tree of segments. A path is followed through it once; no part of the
// tree is looked at twice, whatever the path.

import type { Operation } from './operation.ts'
import { divide, isAsSpecific, type Segment } from './template.ts'

/** A template, and its operation. */
export interface Leaf {
  readonly operation: Operation
  readonly segments: readonly Segment[]
}

interface Node {
  readonly literals: Map<string, Node>
  /** By the literals of the segment: a document of others may have any number in one place. */
  readonly mixed: Map<
    string,
    { readonly segment: Extract<Segment, { kind: 'mixed' }>; readonly node: Node }
  >
  parameter: Node | undefined
  /** Those that end here: several only where they are the same to this tree. */
  readonly leaves: Leaf[]
  readonly rests: Leaf[]
}

const newNode = (): Node => ({
  literals: new Map(),
  mixed: new Map(),
  parameter: undefined,
  leaves: [],
  rests: [],
})

/** The templates of one method. */
export class SegmentTree {
  readonly #root = newNode()

  /** Adds a template; the first that fits exactly the same paths, where there is one. */
  add(leaf: Leaf): Leaf | undefined {
    let node = this.#root
    let leaves: Leaf[] | undefined
    for (const segment of leaf.segments) {
      if (segment.kind === 'rest') leaves = node.rests
      else node = childFor(node, segment)
    }
    leaves ??= node.leaves
    leaves.push(leaf)
    return leaves.length > 1 ? leaves[0] : undefined
  }

  /**
   * Of the templates that fit, those that are as specific as every other: one, or several that are
   * the same to this tree. `unordered`: several fit, and none is.
   */
  find(segments: readonly string[]): readonly Leaf[] | 'unordered' {
    const found: Leaf[] = []
    collect(this.#root, segments, 0, found)
    if (found.length < 2) return found
    const best = found.filter((one) =>
      found.every((other) => isAsSpecific(one.segments, other.segments)),
    )
    return best.length === 0 ? 'unordered' : best
  }
}

const childFor = (node: Node, segment: Exclude<Segment, { kind: 'rest' }>): Node => {
  if (segment.kind === 'parameter') {
    node.parameter ??= newNode()
    return node.parameter
  }
  if (segment.kind === 'literal') {
    const child = node.literals.get(segment.text) ?? newNode()
    node.literals.set(segment.text, child)
    return child
  }
  const key = JSON.stringify(segment.literals)
  const child = node.mixed.get(key)?.node ?? newNode()
  if (!node.mixed.has(key)) node.mixed.set(key, { segment, node: child })
  return child
}

const collect = (node: Node, segments: readonly string[], at: number, found: Leaf[]): void => {
  const text = segments[at]
  if (text === undefined) {
    found.push(...node.leaves)
    return
  }
  const literal = node.literals.get(text)
  if (literal !== undefined) collect(literal, segments, at + 1, found)
  if (text === '') return
  for (const { segment, node: child } of node.mixed.values()) {
    if (divide(segment, text) !== undefined) collect(child, segments, at + 1, found)
  }
  if (node.parameter !== undefined) collect(node.parameter, segments, at + 1, found)
  found.push(...node.rests)
}
