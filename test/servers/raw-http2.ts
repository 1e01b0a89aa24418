// A caller that may put anything into an HTTP/2 header block, which Node's own client refuses to:
// connection headers, upper case, repeated pseudo-headers. One request, and only as much of HTTP/2 as that
// takes (RFC 9113, RFC 7541).

import { connect } from 'node:tls'
import { FLAG, FRAME, frame, literal, PREFACE } from '../fakes/http2-frames.ts'
import { connectionTo, type HeaderLine, type Target } from './client.ts'

/** The outcome of a request: a status, or the stream or connection was ended without one. */
export type RawHttp2Answer =
  | { readonly outcome: 'answered'; readonly status: number }
  | { readonly outcome: 'reset' | 'closed' }

const FRAME_HEAD = 9
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
    socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)))
    const block = Buffer.concat(headers.map(([name, value]) => literal(name, value)))
    socket.write(frame(FRAME.headers, FLAG.endStream | FLAG.endHeaders, STREAM, block))
  })
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    for (;;) {
      const length = bytes.length < FRAME_HEAD ? 0 : bytes.readUIntBE(0, 3)
      if (bytes.length < FRAME_HEAD + length) return
      const answer = answerIn(bytes[3] ?? 0, bytes.subarray(FRAME_HEAD, FRAME_HEAD + length))
      if (answer !== undefined) resolve(answer)
      if (bytes[3] === FRAME.settings && bytes[4] !== FLAG.ack) {
        socket.write(frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)))
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
  if (type === FRAME.headers) return { outcome: 'answered', status: statusIn(payload) }
  if (type === FRAME.reset) return { outcome: 'reset' }
  return type === FRAME.goaway ? { outcome: 'closed' } : undefined
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
