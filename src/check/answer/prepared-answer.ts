// The answer to a check on the wire. What an identity is allowed with is nearly the same each time: the bytes are kept with the
// headers that were made for it, and in them the decision id and the time left are replaced. Where anything else differs
// from what they were made of, the answer is encoded anew; `respond` and the codec say what an answer is, here as elsewhere.

import { Derived, hasRoomForDerived } from '../../runtime/derived.ts'
import type { Credentials } from '../../transform/apply.ts'
import type { HeaderPair } from '../../transform/transformer.ts'
import { encodeAllow, encodeCheckResponse } from '../codec.ts'
import type { Allowance, Decision } from '../decision.ts'
import { respond, timeLeft } from './response.ts'

/**
 * The bytes of the answer of {@link respond}.
 *
 * @param now milliseconds since the epoch
 * @returns bytes that may change with the next answer: to be sent or copied before it
 */
export const encodeAnswer = (id: string, decision: Decision, now: number): Uint8Array =>
  decision.outcome === 'allow' && hasRoomForDerived(decision.credentials.setHeaders)
    ? preparedAnswer(id, decision, now)
    : encodeCheckResponse(respond(id, decision, now))

/** An answer, and everything that it was made of except the headers that it is kept with. */
interface PreparedAnswer {
  /** A character for each byte: a small Buffer would retain the memory that Node cuts it from. */
  readonly text: string
  /** Where the decision id is. */
  readonly idsAt: readonly number[]
  readonly idLength: number
  /** Where the time left is; `undefined` where the answer has none. */
  readonly timeAt: number | undefined
  /** How many digits it has. */
  readonly timeDigits: number
  readonly removeHeaders: readonly string[]
  readonly repeatedHeaders: Credentials['repeatedHeaders']
  readonly secret: string | undefined
  readonly sendsAuditId: boolean
}

const prepared = new Derived<readonly HeaderPair[], PreparedAnswer>()

const preparedAnswer = (id: string, decision: Allowance, now: number): Uint8Array => {
  const { setHeaders } = decision.credentials
  const left = timeLeft(decision.permit.identity, now)
  const known = prepared.get(setHeaders)
  if (known !== undefined && isAnswerTo(known, decision, id, left)) return filled(known, id, left)
  const fresh = prepare(id, decision, now)
  prepared.set(setHeaders, fresh)
  return filled(fresh, id, left)
}

/** Whether the two differ in nothing but the decision id and the digits of the time left. */
const isAnswerTo = (
  known: PreparedAnswer,
  { credentials, context }: Allowance,
  id: string,
  left: number | undefined,
): boolean =>
  known.idLength === id.length &&
  known.timeDigits === digitsOf(left) &&
  known.repeatedHeaders === credentials.repeatedHeaders &&
  known.secret === credentials.secret?.name &&
  known.sendsAuditId === context.route.sendsAuditId &&
  areEqual(known.removeHeaders, credentials.removeHeaders)

const areEqual = (one: readonly string[], other: readonly string[]): boolean => {
  if (one === other) return true
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

const digitsOf = (left: number | undefined): number => {
  if (left === undefined) return 0
  let digits = 1
  for (let rest = left; rest >= 10; rest = Math.floor(rest / 10)) digits += 1
  return digits
}

const prepare = (id: string, decision: Allowance, now: number): PreparedAnswer => {
  const { setHeaders, removeHeaders, repeatedHeaders, secret } = decision.credentials
  const { sendsAuditId } = decision.context.route
  const answer = respond(id, decision, now)
  if (!answer.allow) throw new TypeError('an allowed check has a refusal for an answer')
  const places = new Map<HeaderPair, number>()
  const bytes = encodeAllow(answer, places)
  const startOf = (pair: HeaderPair): number =>
    bytes.length - (places.get(pair) ?? 0) - pair[1].length
  // `respond` sets the audit id, then the time left, behind the headers of the transform.
  const later = answer.setHeaders.slice(setHeaders.length)
  const ids = [...answer.responseHeaders, ...(sendsAuditId ? later.slice(0, 1) : [])]
  const [time] = sendsAuditId ? later.slice(1) : later
  return {
    text: bytes.toString('latin1'),
    idsAt: ids.map(startOf),
    idLength: id.length,
    timeAt: time && startOf(time),
    timeDigits: time === undefined ? 0 : time[1].length,
    removeHeaders,
    repeatedHeaders,
    secret: secret?.name,
    sendsAuditId,
  }
}

// Longer answers are filled in a buffer of their own.
const ROOM_BYTES = 16_384
const room = Buffer.allocUnsafeSlow(ROOM_BYTES)
/** The beginnings of it that have been used, by their lengths. */
const beginnings: Buffer[] = []

const roomFor = (text: string): Buffer => {
  const { length } = text
  if (length > ROOM_BYTES) return Buffer.from(text, 'latin1')
  room.write(text, 0, 'latin1')
  return (beginnings[length] ??= room.subarray(0, length))
}

const ZERO = 0x30

const filled = (
  { text, idsAt, timeAt, timeDigits }: PreparedAnswer,
  id: string,
  left: number | undefined,
): Uint8Array => {
  const bytes = roomFor(text)
  for (const at of idsAt) {
    for (let index = 0; index < id.length; index++) bytes[at + index] = id.charCodeAt(index)
  }
  if (timeAt === undefined || left === undefined) return bytes
  let rest = left
  for (let at = timeAt + timeDigits - 1; at >= timeAt; at--) {
    const above = Math.floor(rest / 10)
    bytes[at] = ZERO + rest - 10 * above
    rest = above
  }
  return bytes
}
