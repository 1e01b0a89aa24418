// The Huffman code of RFC 7541 appendix B, decoded four bits at a time.

import { HpackError } from './error.ts'

// The code is canonical: codes of one length are consecutive, in the order of their symbols, so that the
// lengths say all. One character for each symbol from 0 to 256 (EOS): `0` is 5 bits, `p` is 30.
const LENGTHS =
  '8innnnnnnjpnnpnnnnnnnnpnnnnnnnnn1557813655363111000111111123a1758122222222222222222222223238e891a' +
  '01010111022111012100122222a698nfhffhhhihiiiiijijjhijiiiighihiijhgfhhiigihhjghiigghgihiifhhhihhill' +
  'fehihklllmmljkeglmmlmjggllnmmmfjfghggihhkkjjlilmllmmmmmnmmmmmlp'
const SHORTEST = 5

const SYMBOLS = 257
const EOS = 256
const STEPS = 16

// An entry of the table: the next state in the low byte, then the symbol that is complete, then marks.
const SYMBOL_SHIFT = 8
const EMITS = 0x1_00_00
const FAILS = 0x2_00_00

type Node = { readonly depth: number; readonly padding: boolean; children: (Node | number)[] }

const nodeAt = (depth: number, padding: boolean): Node => ({ depth, padding, children: [] })

const addCode = (root: Node, code: number, length: number, symbol: number): void => {
  let node = root
  for (let bit = length - 1; bit > 0; bit--) {
    const step = (code >>> bit) & 1
    const next = node.children[step] ?? nodeAt(node.depth + 1, node.padding && step === 1)
    if (typeof next === 'number') throw new Error('the code is not free of prefixes')
    node.children[step] = next
    node = next
  }
  node.children[code & 1] = symbol
}

const codeTree = (): Node => {
  const lengths = Array.from(LENGTHS, (mark) => Number.parseInt(mark, 36) + SHORTEST)
  const order = Array.from({ length: SYMBOLS }, (_, symbol) => symbol).toSorted(
    (a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b,
  )
  const root = nodeAt(0, true)
  let code = 0
  let before = SHORTEST
  for (const symbol of order) {
    const length = lengths[symbol] ?? 0
    code <<= length - before
    addCode(root, code, length, symbol)
    code += 1
    before = length
  }
  return root
}

/** Every inner node of the tree is a state: there are 256. */
const statesOf = (root: Node): readonly Node[] => {
  const states = [root]
  for (const node of states) {
    for (const child of node.children) if (typeof child !== 'number') states.push(child)
  }
  return states
}

const stepOf = (start: Node, bits: number, root: Node, states: readonly Node[]): number => {
  let node = start
  let result = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = node.children[(bits >>> bit) & 1]
    if (next === EOS || next === undefined) return FAILS // §5.2: EOS in a string is an error
    if (typeof next === 'number') result = EMITS | (next << SYMBOL_SHIFT)
    node = typeof next === 'number' ? root : next
  }
  return result | states.indexOf(node)
}

const ROOT = codeTree()
const STATES = statesOf(ROOT)
const TABLE = Uint32Array.from(
  STATES.flatMap((state) =>
    Array.from({ length: STEPS }, (_, bits) => stepOf(state, bits, ROOT, STATES)),
  ),
)

// §5.2: the padding is the first bits of EOS, all ones, and fewer than eight.
const MAX_PADDING = 7
const MAY_END = STATES.map(({ depth, padding }) => padding && depth <= MAX_PADDING)

// The shortest code has five bits.
const longestText = (bytes: number): number => Math.ceil((bytes * 8) / SHORTEST)

const SCRATCH = Buffer.allocUnsafeSlow(4_096)

/**
 * Decodes the bytes from `start` to `end`; octets become latin1 characters.
 *
 * @throws HpackError when it is not a string of this code (RFC 7541 §5.2)
 */
export const decodeHuffman = (bytes: Buffer, start: number, end: number): string => {
  const longest = longestText(end - start)
  const text = longest <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(longest)
  let length = 0
  let state = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    const high = TABLE[(state << 4) | (byte >>> 4)] ?? FAILS
    if ((high & EMITS) !== 0) text[length++] = high >>> SYMBOL_SHIFT
    const low = TABLE[((high & 0xff) << 4) | (byte & 15)] ?? FAILS
    if ((low & EMITS) !== 0) text[length++] = low >>> SYMBOL_SHIFT
    if (((high | low) & FAILS) !== 0) throw new HpackError('EOS in a Huffman-coded string')
    state = low & 0xff
  }
  if (MAY_END[state] !== true) throw new HpackError('wrong padding of a Huffman-coded string')
  return text.toString('latin1', 0, length)
}
