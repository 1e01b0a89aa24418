// Where each value of a YAML document is, as numbers that another thread can take over without a copy: the document
// itself, a tree of nodes, would have to be cloned.

import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Alias,
  type Document,
} from 'yaml'
import type { Problem } from './problem.ts'
import type { DocumentPath } from './yaml-position.ts'

/**
 * A slot for each value, in this order: the root, then the members of each mapping in the order of `Object.keys`, and of
 * each list, every member followed by its own.
 */
export interface Positions {
  /** Per slot: the offset of the key in a mapping, of the value in a list. */
  readonly offsets: Int32Array<ArrayBuffer>
  /** Per slot: the slot after its members; of an alias, the complement (`~`) of the slot of its anchor. */
  readonly ends: Int32Array<ArrayBuffer>
  /** Per line: the offset of its beginning. */
  readonly lines: Int32Array<ArrayBuffer>
}

/**
 * The positions of all values of a document without faults.
 *
 * @param raw what the document holds, by `toJS`
 */
export const positionsOf = (document: Document, raw: unknown, lines: LineCounter): Positions => {
  const offsets: number[] = []
  const ends: number[] = []
  const anchors = new Map<unknown, number>()
  const aliases: { readonly slot: number; readonly alias: Alias }[] = []
  const add = (node: unknown, value: unknown, offset: number): void => {
    const slot = offsets.push(offset) - 1
    ends.push(slot + 1)
    if (isAlias(node)) {
      aliases.push({ slot, alias: node })
      return
    }
    if (isNode(node)) anchors.set(node, slot)
    for (const member of membersOf(node, value)) {
      add(member.node, member.value, member.offset ?? offset)
    }
    ends[slot] = offsets.length
  }
  add(document.contents, raw, startOf(document.contents) ?? 0)
  for (const { slot, alias } of aliases)
    ends[slot] = ~(anchors.get(alias.resolve(document)) ?? slot)
  return {
    offsets: Int32Array.from(offsets),
    ends: Int32Array.from(ends),
    lines: Int32Array.from(lines.lineStarts),
  }
}

interface Member {
  readonly node: unknown
  readonly value: unknown
  readonly offset: number | undefined
}

const membersOf = (node: unknown, value: unknown): readonly Member[] => {
  if (isSeq(node) && Array.isArray(value)) {
    const { items } = node
    return value.map((member: unknown, index) => {
      const item = items[index]
      return { node: item, value: member, offset: startOf(item) }
    })
  }
  if (!isMap(node) || typeof value !== 'object' || value === null) return []
  const pairs = new Map(
    node.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair]] : [])),
  )
  return Object.entries(value).map(([key, member]) => {
    const pair = pairs.get(key)
    return { node: pair?.value, value: member, offset: startOf(pair?.key) }
  })
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)

/** Finds positions of a document. */
export class PositionFinder {
  readonly #raw: unknown
  readonly #positions: Positions
  readonly #lines = new LineCounter()
  /** The slots of the members, by container: of 10,000 users each may have a problem. */
  readonly #members = new WeakMap<object, ReadonlyMap<string, number>>()

  constructor(raw: unknown, positions: Positions) {
    this.#raw = raw
    this.#positions = positions
  }

  /** The position of a value; of one that is missing, that of its parent. */
  find(path: DocumentPath): NonNullable<Problem['position']> {
    if (this.#lines.lineStarts.length === 0) this.#lines.lineStarts = [...this.#positions.lines]
    const { line, col } = this.#lines.linePos(this.#positions.offsets[this.#slotOf(path)] ?? 0)
    return { line, column: col }
  }

  #slotOf(path: DocumentPath): number {
    let value = this.#raw
    let slot = 0
    for (const step of path) {
      if (typeof value !== 'object' || value === null) break
      const member = this.#membersOf(value, slot).get(String(step))
      if (member === undefined) break
      slot = member
      value = Object.getOwnPropertyDescriptor(value, step)?.value
    }
    return slot
  }

  #membersOf(value: object, slot: number): ReadonlyMap<string, number> {
    const known = this.#members.get(value)
    if (known !== undefined) return known
    const { ends } = this.#positions
    const members = new Map<string, number>()
    const end = ends[slot] ?? 0
    let next = (end < 0 ? ~end : slot) + 1
    for (const key of Object.keys(value)) {
      members.set(key, next)
      next = Math.max(ends[next] ?? 0, next + 1) // an alias, with a negative end, has one slot
    }
    this.#members.set(value, members)
    return members
  }
}
