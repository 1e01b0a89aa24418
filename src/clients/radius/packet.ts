// The packets of RADIUS (RFC 2865, 2869, 5997): values to bytes and bytes to values, no sockets. Written here because
// the packages for Node trust the lengths in a packet and do not handle CVE-2024-3596.

import { timingSafeEqual } from 'node:crypto'
import type { SharedSecret } from './secret.ts'

/** Packet codes that we send. */
export const REQUEST = { access: 1, status: 12 } as const

/** Packet codes that answer them. */
export const REPLY = { accept: 2, reject: 3, challenge: 11 } as const

/** Attributes by the names of RFC 2865, 2869 and 4372. */
export const ATTRIBUTE = {
  'User-Name': 1,
  'User-Password': 2,
  'NAS-IP-Address': 4,
  'Service-Type': 6,
  'Filter-Id': 11,
  'Reply-Message': 18,
  State: 24,
  Class: 25,
  'Vendor-Specific': 26,
  'Calling-Station-Id': 31,
  'NAS-Identifier': 32,
  'NAS-Port-Type': 61,
  'Message-Authenticator': 80,
  'Chargeable-User-Identity': 89,
} as const

/** One attribute. */
export interface Attribute {
  readonly type: number
  readonly value: Uint8Array
}

/** A packet whose lengths are right, and of which nothing else is known. */
export interface Packet {
  readonly code: number
  readonly identifier: number
  readonly authenticator: Uint8Array
  readonly attributes: readonly Attribute[]
  /** The whole packet, without what may have followed it. */
  readonly bytes: Uint8Array
}

/** What is wrong with a packet; it is discarded (RFC 2865 §3). */
export type PacketFault =
  | 'too-short'
  | 'length-wrong'
  | 'attribute-length-wrong'
  | 'code-unexpected'
  | 'identifier-unexpected'
  | 'authenticator-wrong'
  | 'message-authenticator-missing'
  | 'message-authenticator-wrong'
  | 'attribute-repeated'

/** A packet, or what is wrong with it. */
export type PacketReading =
  | { readonly ok: true; readonly packet: Packet }
  | { readonly ok: false; readonly fault: PacketFault }

/** The content of a request, before it has an identifier and an authenticator. */
export interface RequestContent {
  readonly code: (typeof REQUEST)[keyof typeof REQUEST]
  /** In clear. */
  readonly attributes: readonly Attribute[]
  /** Hidden under the secret; see {@link isSendablePassword}. */
  readonly password?: Uint8Array
}

// RFC 2865 §3.
const HEADER_LENGTH = 20
const LONGEST_PACKET = 4_096
const AUTHENTICATOR_START = 4
const BLOCK_LENGTH = 16
// RFC 2865 §5: one octet holds the length of an attribute, its type and that octet included.
/** Bytes of an attribute's value. */
export const LONGEST_VALUE = 253
// RFC 2865 §5.2.
const LONGEST_PASSWORD = 128

const NOTHING = Buffer.alloc(0)
const NO_MAC = Buffer.alloc(BLOCK_LENGTH)

/** Whether an attribute can carry the value; RFC 2865 §5 has none that is empty. */
export const isSendable = (value: Uint8Array): boolean =>
  value.length > 0 && value.length <= LONGEST_VALUE

/** Whether `User-Password` can carry the password. */
export const isSendablePassword = (password: Uint8Array): boolean =>
  password.length > 0 && password.length <= LONGEST_PASSWORD

/** An attribute with a number, or an IPv4 address, of four octets. */
export const integer = (type: number, value: number): Attribute => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return { type, value: bytes }
}

/** An attribute with UTF-8 text. */
export const text = (type: number, value: string): Attribute => ({
  type,
  value: Buffer.from(value),
})

/**
 * The bytes of a request.
 *
 * `Message-Authenticator` is the first attribute: CVE-2024-3596 forges replies by a prefix chosen in the
 * request, and a server that sees the attribute first knows that it must sign its reply likewise.
 *
 * @param authenticator 16 unpredictable bytes, never used before (RFC 2865 §3)
 * @throws RangeError for what cannot be sent, which is the caller's to rule out
 */
export const encodeRequest = (
  { code, attributes, password }: RequestContent,
  identifier: number,
  authenticator: Uint8Array,
  secret: SharedSecret,
): Buffer => {
  const type = ATTRIBUTE['User-Password']
  const hidden =
    password === undefined
      ? []
      : [encodeAttribute({ type, value: hidePassword(password, authenticator, secret) })]
  const mac = encodeAttribute({ type: ATTRIBUTE['Message-Authenticator'], value: NO_MAC })
  const header = Buffer.alloc(HEADER_LENGTH)
  const packet = Buffer.concat([header, mac, ...attributes.map(encodeAttribute), ...hidden])
  if (packet.length > LONGEST_PACKET) throw new RangeError('a RADIUS packet has at most 4096 bytes')
  packet.writeUInt8(code, 0)
  packet.writeUInt8(identifier, 1)
  packet.writeUInt16BE(packet.length, 2)
  packet.set(authenticator, AUTHENTICATOR_START)
  packet.set(secret.hmac(packet), HEADER_LENGTH + 2)
  return packet
}

const encodeAttribute = ({ type, value }: Attribute): Buffer => {
  if (!isSendable(value)) throw new RangeError(`RADIUS attribute ${type} has 1 to 253 bytes`)
  return Buffer.concat([Buffer.of(type, value.length + 2), value])
}

/** RFC 2865 §5.2: each block is XORed with MD5(secret, block before), the first with the authenticator. */
export const hidePassword = (
  password: Uint8Array,
  authenticator: Uint8Array,
  secret: SharedSecret,
): Buffer => {
  if (!isSendablePassword(password)) throw new RangeError('a RADIUS password has 1 to 128 bytes')
  const hidden = Buffer.alloc(Math.ceil(password.length / BLOCK_LENGTH) * BLOCK_LENGTH)
  hidden.set(password)
  let before = authenticator
  for (let start = 0; start < hidden.length; start += BLOCK_LENGTH) {
    const mask = secret.md5(NOTHING, before)
    const block = hidden.subarray(start, start + BLOCK_LENGTH)
    for (const [index, octet] of block.entries()) block[index] = octet ^ (mask[index] ?? 0)
    before = block
  }
  return hidden
}

/** Reads a packet. What follows its own length is padding, and ignored (RFC 2865 §3). */
export const readPacket = (bytes: Uint8Array): PacketReading => {
  if (bytes.length < HEADER_LENGTH) return { ok: false, fault: 'too-short' }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.readUInt16BE(2)
  if (length < HEADER_LENGTH || length > LONGEST_PACKET || length > view.length) {
    return { ok: false, fault: 'length-wrong' }
  }
  const packet = view.subarray(0, length)
  const attributes = readAttributes(packet.subarray(HEADER_LENGTH))
  if (attributes === undefined) return { ok: false, fault: 'attribute-length-wrong' }
  return {
    ok: true,
    packet: {
      code: packet.readUInt8(0),
      identifier: packet.readUInt8(1),
      authenticator: packet.subarray(AUTHENTICATOR_START, HEADER_LENGTH),
      attributes,
      bytes: packet,
    },
  }
}

/** Type, length, value, one after the other; `undefined` where a length cannot be. */
const readAttributes = (bytes: Uint8Array): readonly Attribute[] | undefined => {
  const attributes: Attribute[] = []
  for (let start = 0; start < bytes.length;) {
    const [type = 0, length = 0] = bytes.subarray(start, start + 2)
    if (length < 2 || start + length > bytes.length) return undefined
    attributes.push({ type, value: bytes.subarray(start + 2, start + length) })
    start += length
  }
  return attributes
}

/** What a reply is held against. */
export interface ReplyExpectation {
  /** The authenticator of the request. */
  readonly authenticator: Uint8Array
  readonly secret: SharedSecret
  /** Whether a reply without `Message-Authenticator` is refused; a wrong one always is. */
  readonly signed: boolean
}

/**
 * What is wrong with a reply to a certain request, if anything.
 *
 * `Message-Authenticator` may be at any position: an attacker of CVE-2024-3596 cannot make one at all.
 */
export const faultOfReply = (
  packet: Packet,
  { authenticator, secret, signed }: ReplyExpectation,
): PacketFault | undefined => {
  if (!REPLY_CODES.includes(packet.code)) return 'code-unexpected'
  // Both cover the reply as it came, but with the request's authenticator (RFC 2865 §3, 3579 §3.2).
  const covered = Buffer.from(packet.bytes)
  covered.set(authenticator, AUTHENTICATOR_START)
  if (!timingSafeEqual(secret.md5(covered, NOTHING), packet.authenticator)) {
    return 'authenticator-wrong'
  }
  const macs = valuesOf(packet, ATTRIBUTE['Message-Authenticator'])
  // RFC 2865 §5.44 and 3579 §3.3: at most one of each.
  if (macs.length > 1 || valuesOf(packet, ATTRIBUTE.State).length > 1) return 'attribute-repeated'
  const [mac] = macs
  if (mac === undefined) return signed ? 'message-authenticator-missing' : undefined
  if (mac.length !== BLOCK_LENGTH) return 'message-authenticator-wrong'
  const start = mac.byteOffset - packet.bytes.byteOffset
  covered.fill(0, start, start + BLOCK_LENGTH)
  return timingSafeEqual(secret.hmac(covered), mac) ? undefined : 'message-authenticator-wrong'
}

const REPLY_CODES: readonly number[] = Object.values(REPLY)

/** All values of an attribute, in order. */
export const valuesOf = ({ attributes }: Packet, type: number): readonly Uint8Array[] =>
  attributes.filter((attribute) => attribute.type === type).map(({ value }) => value)

// RFC 2865 §5.26: four octets of vendor, of which the first is 0.
const VENDOR_LENGTH = 4

/**
 * All values of a vendor's attribute, in order. One that does not follow RFC 2865 §5.26, which is
 * only a SHOULD, has no values that can be separated.
 */
export const vendorValuesOf = (
  packet: Packet,
  vendor: number,
  type: number,
): readonly Uint8Array[] =>
  valuesOf(packet, ATTRIBUTE['Vendor-Specific'])
    .filter((value) => vendorOf(value) === vendor)
    .flatMap((value) => readAttributes(value.subarray(VENDOR_LENGTH)) ?? [])
    .filter((attribute) => attribute.type === type)
    .map(({ value }) => value)

const vendorOf = (value: Uint8Array): number | undefined =>
  value.length < VENDOR_LENGTH ? undefined : Buffer.from(value).readUInt32BE()
