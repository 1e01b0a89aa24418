// One field of a header block, judged once when it is decoded: a field of a compression table serves
// thousands of requests.

/**
 * What a field is by the rules of RFC 9113 §8. Numbers, so that a request's fields are sorted by a
 * switch.
 */
export const ROLE = {
  /** It makes the request malformed (§8.1.1): a name or a value that no field may have. */
  malformed: 0,
  ordinary: 1,
  method: 2,
  scheme: 3,
  path: 4,
  authority: 5,
  host: 6,
  contentLength: 7,
} as const

/** One of {@link ROLE}. */
export type Role = (typeof ROLE)[keyof typeof ROLE]

const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  // §8.3.1: a request has these pseudo-header fields alone.
  [':method', ROLE.method],
  [':scheme', ROLE.scheme],
  [':path', ROLE.path],
  [':authority', ROLE.authority],
  ['host', ROLE.host],
  ['content-length', ROLE.contentLength],
  // §8.2.2: connection-specific fields.
  ['connection', ROLE.malformed],
  ['proxy-connection', ROLE.malformed],
  ['keep-alive', ROLE.malformed],
  ['transfer-encoding', ROLE.malformed],
  ['upgrade', ROLE.malformed],
])

// RFC 9110 §5.6.2 in lower case: narrower than the least that RFC 9113 §8.2.1 asks of a server.
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// §8.2.1: NUL, LF, CR nowhere; no white space at either end.
const WRONG_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/ // oxlint-disable-line no-control-regex
const DIGITS = /^\d{1,15}$/

const roleOf = (name: string, value: string): Role => {
  if (WRONG_VALUE.test(value)) return ROLE.malformed
  const role = ROLES.get(name)
  if (role === ROLE.contentLength) return DIGITS.test(value) ? role : ROLE.malformed
  if (role !== undefined) return role
  if (name === 'te') return value === 'trailers' ? ROLE.ordinary : ROLE.malformed // §8.2.2
  return NAME.test(name) ? ROLE.ordinary : ROLE.malformed
}

// RFC 7541 §4.1: what a table counts for an entry besides its name and its value.
const ENTRY_OVERHEAD = 32

/** A field. Its octets are latin1 characters. */
export class HeaderField {
  readonly name: string
  readonly value: string
  readonly role: Role
  /** Its size in a compression table and in a header list (RFC 7541 §4.1, RFC 9113 §6.5.2). */
  readonly size: number

  constructor(name: string, value: string) {
    this.name = name
    this.value = value
    this.role = roleOf(name, value)
    this.size = name.length + value.length + ENTRY_OVERHEAD
  }
}
