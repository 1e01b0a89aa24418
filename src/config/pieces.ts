// A big value in pieces, for another thread: to clone 10,000 rules at once takes longer than a check may wait.

import { deserialize, serialize } from 'node:v8'
import type { Slices } from '../runtime/slices.ts'

/** A value that {@link packed} has made, and {@link unpacked} makes again. */
export interface Packed {
  /** The serialized pieces, one behind another. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each piece ends. */
  readonly ends: readonly number[]
}

type Key = string | number

/** The value itself without the members of long containers, or some members of the container that is at `path`. */
type Piece =
  | { readonly root: unknown }
  | { readonly path: readonly Key[]; readonly members: readonly (readonly [Key, unknown])[] }

// Containers of more members come in pieces by themselves.
const LONG = 64
// Of a piece, roughly: to read them takes about half a millisecond.
const VALUES = 1_000

/**
 * Packs a value of plain objects, lists and scalars.
 *
 * @param whole in one piece, for values in which one object occurs in two places
 */
export const packed = (value: unknown, whole: boolean): Packed => {
  const buffers = whole
    ? [serialize({ root: value })]
    : [...piecesOf(value)].map((piece) => serialize(piece))
  const ends: number[] = []
  let end = 0
  for (const { length } of buffers) ends.push((end += length))
  const bytes = new Uint8Array(end)
  for (const [index, buffer] of buffers.entries()) bytes.set(buffer, ends[index - 1] ?? 0)
  return { bytes, ends }
}

/** The value that was packed, read in slices. */
export const unpacked = async ({ bytes, ends }: Packed, slices: Slices): Promise<unknown> => {
  let root: unknown
  let start = 0
  for (const end of ends) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `packed` writes nothing else
    const piece = deserialize(bytes.subarray(start, end)) as Piece
    if ('root' in piece) ({ root } = piece)
    else addMembers(root, piece)
    start = end
    await slices.pause()
  }
  return root
}

const addMembers = (root: unknown, { path, members }: Extract<Piece, { path: unknown }>): void => {
  let target: unknown = root
  for (const key of path) target = Object.getOwnPropertyDescriptor(target, key)?.value
  if (typeof target !== 'object' || target === null) throw new TypeError('a piece without a place')
  for (const [key, value] of members) {
    // A key may be `__proto__`, which an assignment would not create.
    Object.defineProperty(target, key, { value, ...PLAIN })
  }
}

const PLAIN = { enumerable: true, writable: true, configurable: true } as const

function* piecesOf(value: unknown): Generator<Piece> {
  const queue: { readonly path: readonly Key[]; readonly container: object }[] = []
  let count = 0
  /** A copy, in which long containers are empty and queued. */
  const shorten = (member: unknown, path: readonly Key[]): unknown => {
    count += 1
    if (typeof member !== 'object' || member === null) return member
    const entries = entriesOf(member)
    if (entries.length > LONG) {
      queue.push({ path, container: member })
      return Array.isArray(member) ? [] : {}
    }
    const copies = entries.map(([key, inner]) => [key, shorten(inner, [...path, key])] as const)
    return Array.isArray(member) ? copies.map(([, inner]) => inner) : Object.fromEntries(copies)
  }
  yield { root: shorten(value, []) }
  for (const { path, container } of queue) {
    let members: (readonly [Key, unknown])[] = []
    count = 0
    for (const [key, member] of entriesOf(container)) {
      members.push([key, shorten(member, [...path, key])])
      if (count < VALUES) continue
      yield { path, members }
      members = []
      count = 0
    }
    yield { path, members }
  }
}

const entriesOf = (container: object): readonly (readonly [Key, unknown])[] =>
  Array.isArray(container) ? [...container.entries()] : Object.entries(container)
