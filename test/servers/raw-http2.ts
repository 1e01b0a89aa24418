// A caller that may put anything into an HTTP/2 header block, which Node's own client refuses to:
// connection headers, upper case, repeated pseudo-headers. One request, and no more of HTTP/2 than
// that takes (RFC 9113, RFC 7541).

import { connect } from 'node:tls'
import { connectionTo, type HeaderLine, type Target } from './client.ts'

/** What became of a request: a status, or the stream or connection was ended without one. */
export type RawHttp2Answer =
  | { readonly outcome: 'answered'; readonly status: number }
  | { readonly outcome: 'reset' | 'closed' }

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const FRAME_HEAD = 9
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const GOAWAY = 7
const ACK = 1
const END_STREAM_AND_HEADERS = 5
const STREAM = 1

/** Sends one header block as it is and waits for its fate. Strings are latin1. */
export const sendRawHttp2 = async (
  target: Target,
  headers: readonly HeaderLine[],
): Promise<RawHttp2Answer> => {
  const options = await connectionTo(target)
  const { promise, resolve, reject } = Promise.withResolvers<RawHttp2Answer>()
  const socket = connect({ ...options, ALPNProtocols: ['h2'] }, () => {
    socket.write(PREFACE)
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
    const block = Buffer.concat(headers.map(literal))
    socket.write(frame(HEADERS, END_STREAM_AND_HEADERS, STREAM, block))
  })
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    for (;;) {
      const length = bytes.length < FRAME_HEAD ? 0 : bytes.readUIntBE(0, 3)
      if (bytes.length < FRAME_HEAD + length) return
      const answer = answerIn(bytes[3] ?? 0, bytes.subarray(FRAME_HEAD, FRAME_HEAD + length))
      if (answer !== undefined) resolve(answer)
      if (bytes[3] === SETTINGS && bytes[4] !== ACK) {
        socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)))
      }
      bytes = bytes.subarray(FRAME_HEAD + length)
    }
  })
  socket.once('error', reject)
  socket.once('close', () => resolve({ outcome: 'closed' }))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

const answerIn = (type: number, payload: Buffer): RawHttp2Answer | undefined => {
  if (type === HEADERS) return { outcome: 'answered', status: statusIn(payload) }
  if (type === RST_STREAM) return { outcome: 'reset' }
  return type === GOAWAY ? { outcome: 'closed' } : undefined
}

const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(FRAME_HEAD)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** RFC 7541 §6.2.2: a literal without indexing, with a new name, not Huffman-coded. */
const literal = ([name, value]: HeaderLine): Buffer =>
  Buffer.concat([Buffer.from([0]), text(name), text(value)])

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([length7(bytes.length), bytes])
}

/** RFC 7541 §5.1: an integer with a 7-bit prefix. */
const length7 = (value: number): Buffer => {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let rest = value - 127
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

// RFC 7541 appendix A: the static table knows these; other statuses are literals.
const STATIC_STATUS: readonly number[] = [200, 204, 206, 304, 400, 404, 500]

/** `:status` is first in every block (RFC 9113 §8.3). */
const statusIn = (block: Buffer): number => {
  let offset = 0
  // RFC 7541 §6.3: table size updates come before everything else.
  while (((block[offset] ?? 0) & 0xe0) === 0x20) offset += 1
  const first = block[offset] ?? 0
  if ((first & 0x80) !== 0) return STATIC_STATUS[(first & 0x7f) - 8] ?? 0
  const size = block[offset + 1] ?? 0
  const value = block.subarray(offset + 2, offset + 2 + (size & 0x7f))
  return Number((size & 0x80) === 0 ? value.toString('latin1') : digitsOf(value))
}

/** RFC 7541 appendix B, as far as digits go: 0 to 2 have five bits, 3 to 9 six. */
const digitsOf = (coded: Buffer): string => {
  let bits = ''
  for (const byte of coded) bits += byte.toString(2).padStart(8, '0')
  return bits.replaceAll(/000(00|01|10)|011(\d{3})|1+$/g, (match) => {
    const value = Number.parseInt(match, 2)
    if (match.length === 5) return String(value)
    return match.startsWith('0') ? String(value - 0b011001 + 3) : ''
  })
}
