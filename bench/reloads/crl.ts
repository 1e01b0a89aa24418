// A long CRL (RFC 5280 §5), written by hand: an entry after the other, without an object for each.

import { sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Authority } from '../../test/servers/pki.ts'
import { x509 } from '../../test/servers/x509.ts'

const SEQUENCE = 0x30
const DAY = 86_400_000

/** A CRL of that CA with so many entries, DER; none of them is of a certificate that there is. */
export const longCrl = async ({ ca, key }: Authority, entries: number): Promise<Buffer> => {
  const root = new x509.X509Certificate(await readFile(ca, 'utf8'))
  const revoked = Buffer.alloc(entries * ENTRY.length)
  for (let index = 0; index < entries; index++) {
    ENTRY.copy(revoked, index * ENTRY.length)
    revoked.writeUInt32BE(index, index * ENTRY.length + NUMBER_AT)
  }
  const algorithm = tagged(SEQUENCE, ECDSA_WITH_SHA256)
  const signed = tagged(
    SEQUENCE,
    VERSION_2,
    algorithm,
    Buffer.from(root.subjectName.toArrayBuffer()),
    utcTime(Date.now() - DAY),
    utcTime(Date.now() + DAY),
    tagged(SEQUENCE, revoked),
    NO_EXTENSIONS_BUT_NUMBER,
  )
  const signature = sign('sha256', signed, await readFile(key, 'utf8'))
  return tagged(SEQUENCE, signed, algorithm, tagged(0x03, Buffer.of(0), signature))
}

/** DER: a tag, the length, the content (X.690 §8.1). */
const tagged = (tag: number, ...content: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(content)
  if (bytes.length < 128) return Buffer.concat([Buffer.of(tag, bytes.length), bytes])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  const significant = length.subarray(length.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.of(tag, 0x80 | significant.length), significant, bytes])
}

const utcTime = (time: number): Buffer => {
  const digits = new Date(time).toISOString().replaceAll(/[-T:]|\.\d+/g, '')
  return tagged(0x17, Buffer.from(digits.slice(2))) // the year has two digits
}

const VERSION_2 = tagged(0x02, Buffer.of(1))
// 1.2.840.10045.4.3.2
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex')
// §5.2.3: the CRL number, 1.
const NO_EXTENSIONS_BUT_NUMBER = Buffer.from('a00e300c300a0603551d140403020101', 'hex')

// A serial number of 16 bytes, as most CAs have them, with a number in it, and a time.
const NUMBER_AT = 4 + 4
const ENTRY = tagged(
  SEQUENCE,
  tagged(0x02, Buffer.from('5a0000000000000000000000000000a5'.padEnd(32, '0'), 'hex')),
  utcTime(Date.UTC(2026, 0, 1)),
)
