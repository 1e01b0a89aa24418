// Active Directory's two identifiers, from bytes to the text that its tools print.

const GUID_BYTES = 16

/** objectGUID ([MS-DTYP] 2.3.4.2): the first three fields are little-endian. */
export const guidText = (bytes: Buffer): string | undefined => {
  if (bytes.length !== GUID_BYTES) return undefined
  const ordered = Buffer.from(bytes)
  ordered.subarray(0, 4).swap32()
  ordered.subarray(4, 8).swap16()
  return ordered.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const SID_HEAD = 8

/** objectSid ([MS-DTYP] 2.4.2.2): `S-1-5-21-…-500`. */
export const sidText = (bytes: Buffer): string | undefined => {
  const [revision, count = 0] = bytes
  if (revision !== 1 || bytes.length !== SID_HEAD + 4 * count) return undefined
  const authority = bytes.readUIntBE(2, 6)
  const rest = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(SID_HEAD + 4 * index))
  return ['S', revision, authority, ...rest].join('-')
}

/** The SID of another object of the same domain. */
export const siblingSid = (sid: string, relativeId: string): string =>
  sid.replace(/\d+$/, relativeId)
