// Templates of one method as a tree of segments. A path is followed through it once; no part of the
// tree is looked at twice, whatever the path.

import type { Operation } from './operation.ts'
import { divide, isAsSpecific, type Segment } from './template.ts'
import { faultAt } from './value.ts'

/** A template, and its operation. */
export interface Leaf {
  readonly operation: Operation
  readonly segments: readonly Segment[]
}

interface Node {
  readonly literals: Map<string, Node>
  /** By the literals of the segment: an untrusted document may have any number in one place. */
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

/**
 * Different segments such as `{id}.json` in one place. A path is compared with each of them. Of GitHub's
 * API, the largest description that was found, no place has more than two.
 */
const MOST_MIXED = 100

/**
 * What looking for one path may take, in characters that are compared. 100 segments with parameters and
 * text, for a segment of 200 characters, are 20,000. All of it takes about 2 ms.
 */
const MOST_WORK = 500_000

/** What it takes to go to a place of the tree. */
const VISIT = 50

interface Walk {
  readonly segments: readonly string[]
  readonly found: Leaf[]
  /** Of {@link MOST_WORK}, what is left. */
  left: number
}

/** The templates of one method. */
export class SegmentTree {
  readonly #root = newNode()

  /**
   * Adds a template.
   *
   * @param same what happens where another fits exactly the same paths: it is `kept` together with this one,
   *   or stays `alone`, without this one
   * @returns the first such one, where there is one
   * @throws CountersignError `malformed-openapi`: too many segments with parameters and text in one place
   */
  add(leaf: Leaf, same: 'kept' | 'alone'): Leaf | undefined {
    let node = this.#root
    let leaves: Leaf[] | undefined
    for (const segment of leaf.segments) {
      if (segment.kind === 'rest') leaves = node.rests
      else node = childFor(node, segment, leaf.operation)
    }
    leaves ??= node.leaves
    const [first] = leaves
    if (first === undefined || same === 'kept') leaves.push(leaf)
    return first
  }

  /**
   * Of the templates that fit, those that are as specific as every other: one, or several that are
   * the same to this tree. `unordered`: several fit, and none is; or more would have to be compared
   * than a request may take.
   */
  find(segments: readonly string[]): readonly Leaf[] | 'unordered' {
    const walk: Walk = { segments, found: [], left: MOST_WORK }
    collect(this.#root, 0, walk)
    const { found } = walk
    // Each is compared with each.
    if (walk.left - found.length ** 2 * VISIT < 0) return 'unordered'
    if (found.length < 2) return found
    const best = found.filter((one) =>
      found.every((other) => isAsSpecific(one.segments, other.segments)),
    )
    return best.length === 0 ? 'unordered' : best
  }
}

const childFor = (
  node: Node,
  segment: Exclude<Segment, { kind: 'rest' }>,
  { template }: Operation,
): Node => {
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
  if (node.mixed.has(key)) return child
  if (node.mixed.size >= MOST_MIXED) {
    throw faultAt(
      ['paths', template],
      `more than ${MOST_MIXED} different segments with a parameter and text in one place, such as "{id}.json"; each request would be compared with all of them: leave some out, or make them one with a parameter for the text`,
    )
  }
  node.mixed.set(key, { segment, node: child })
  return child
}

const collect = (node: Node, at: number, walk: Walk): void => {
  const { segments, found } = walk
  walk.left -= VISIT
  if (walk.left < 0) return
  const text = segments[at]
  if (text === undefined) {
    found.push(...node.leaves)
    return
  }
  const literal = node.literals.get(text)
  if (literal !== undefined) collect(literal, at + 1, walk)
  if (text === '') return
  for (const { segment, node: child } of node.mixed.values()) {
    walk.left -= text.length
    if (walk.left < 0) return
    if (divide(segment, text) !== undefined) collect(child, at + 1, walk)
  }
  if (node.parameter !== undefined) collect(node.parameter, at + 1, walk)
  found.push(...node.rests)
}
