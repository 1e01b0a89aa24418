// Path globs by their segments: which of many could match a path. Their matchers decide which does.

import { segmentsOf } from '../../request/glob.ts'
import { mark, type Row } from './rows.ts'

/** One segment of the globs that begin alike. */
interface Node {
  readonly literals: Map<string, Node>
  /** Behind a segment that is a pattern or has a name, whatever it is. */
  pattern: Node | undefined
  /** Rules with a glob that ends here. */
  readonly ends: number[]
  /** Rules with a glob that continues with `**`. */
  readonly below: number[]
}

const emptyNode = (): Node => ({ literals: new Map(), pattern: undefined, ends: [], below: [] })

/** The globs of rules. */
export class PathTree {
  readonly #root = emptyNode()

  /** @param position of the rule that the glob is of */
  add(glob: string, position: number): void {
    let node = this.#root
    for (const segment of segmentsOf(glob)) {
      if (segment === '**') {
        node.below.push(position)
        return
      }
      node = childOf(node, segment)
    }
    node.ends.push(position)
  }

  /** Marks the rules with a glob that could match the path. */
  markMatches(path: string, row: Row): void {
    collect(this.#root, segmentsOf(path), 0, row)
  }
}

const childOf = (node: Node, segment: string): Node => {
  if (segment.includes('*') || segment.startsWith('{')) return (node.pattern ??= emptyNode())
  const child = node.literals.get(segment) ?? emptyNode()
  node.literals.set(segment, child)
  return child
}

/** Each node is met once at most, so a path costs no more than the globs that begin like it. */
const collect = (node: Node, segments: readonly string[], depth: number, row: Row): void => {
  for (const position of node.below) mark(row, position)
  const segment = segments[depth]
  if (segment === undefined) {
    for (const position of node.ends) mark(row, position)
    return
  }
  const child = node.literals.get(segment)
  if (child !== undefined) collect(child, segments, depth + 1, row)
  if (node.pattern !== undefined) collect(node.pattern, segments, depth + 1, row)
}
