// The small value types of the configuration: names, addresses, durations, file paths, secrets.

import { resolve } from 'node:path'
import * as z from 'zod'

/** A listening or target address. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** A reference to a secret; the configuration never contains the secret itself. */
export type SecretReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }

/** Bytes: sockaddr_un.sun_path has 108, one of them for the terminating NUL (unix(7)). */
export const LONGEST_SOCKET_PATH = 107

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const isUnit = (text: string): text is keyof typeof MILLISECONDS => text in MILLISECONDS

/** What the text of a value is, for the reference of the configuration. */
export const VALUE_TYPES = z.registry<{
  readonly type:
    | 'name'
    | 'host pattern'
    | 'instant'
    | 'path'
    | 'duration'
    | 'address'
    | 'secret'
    | 'expression'
}>()

/** `version` of a configuration. */
export const versionSchema = z
  .literal(1, 'must be 1, the version that this release of Countersign reads')
  .describe('The version of this vocabulary.')

/** A name that goes unchanged into audit events, Envoy cluster names and statistics. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits, "-" or "_"')
  .register(VALUE_TYPES, { type: 'name' })

/** A host in a matcher: a name without port, `*.` and a name for all below it, or `*`. */
export const hostPatternSchema = z
  .string()
  .regex(
    /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/,
    'must be a lower-case host name without a port, optionally beginning with "*."',
  )
  .register(VALUE_TYPES, { type: 'host pattern' })

/** An instant, as a text of RFC 3339. */
export const instantSchema = z.iso
  .datetime({
    offset: true,
    error: 'must be a date with time and offset, as in RFC 3339',
  })
  .register(VALUE_TYPES, { type: 'instant' })

// zod passes no context to its transforms, and a parse is synchronous: this variable has the folder of
// relative paths for the time of one parse.
let folder = '.'

/** Runs a synchronous parse in which relative paths start at `start`. */
export const resolvingFrom = <T>(start: string, parse: () => T): T => {
  const before = folder
  folder = start
  try {
    return parse()
  } finally {
    folder = before
  }
}

/** The realm of a challenge (RFC 9110 §11.5), without characters that a quoted string cannot contain. */
export const realmSchema = z
  .string()
  .regex(
    /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
    'must be printable ASCII without quotes or backslashes',
  )
  .default('Countersign')
  .describe('The realm in the challenge, shown by browsers (RFC 9110 §11.5).')

/**
 * A file path → absolute; relative ones start at the folder of the configuration file. `file:PATH` is the same, as it is
 * written where `env:NAME` would be possible, too.
 */
export const pathSchema = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('env:'), 'must be a file: "env:NAME" is possible for secrets')
  .transform((path) => resolve(folder, path.replace(/^file:(?=.)/, '')))
  .register(VALUE_TYPES, { type: 'path' })

/** A file path → a reference to the file's contents; see `resolveReferences`. */
export const fileSchema = pathSchema.transform((path): SecretReference => ({ kind: 'file', path }))

const DURATION_TEXT = 'must be a duration such as "500ms", "30s", "5m", "1h" or "7d"'

/** `500ms`, `30s`, `5m`, `1h`, `7d` → milliseconds. */
export const durationSchema = z
  .string(DURATION_TEXT)
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, DURATION_TEXT)
  .transform((text) => {
    const unit = text.replace(/^\d+/, '')
    return Number.parseInt(text, 10) * (isUnit(unit) ? MILLISECONDS[unit] : Number.NaN)
  })
  .register(VALUE_TYPES, { type: 'duration' })

/** `unix:PATH` or `HOST:PORT` (IPv6 in brackets) → {@link Address}. */
export const addressSchema = z
  .string()
  .regex(
    /^(unix:.+|(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5})$/,
    'must be "unix:PATH" or "HOST:PORT"',
  )
  .transform(parseAddress)
  .refine(
    (address) => address.kind === 'unix' || address.port <= 65_535,
    'the port must be 0 to 65535',
  )
  .refine(
    (address) => address.kind === 'tcp' || Buffer.byteLength(address.path) <= LONGEST_SOCKET_PATH,
    `a UNIX socket's absolute path has at most ${LONGEST_SOCKET_PATH} bytes; choose a shorter folder, such as /run`,
  )
  .register(VALUE_TYPES, { type: 'address' })

function parseAddress(text: string): Address {
  if (text.startsWith('unix:'))
    return { kind: 'unix', path: resolve(folder, text.slice('unix:'.length)) }
  const colon = text.lastIndexOf(':')
  return {
    kind: 'tcp',
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  }
}

// No message quotes what may be a secret itself: a name with one of these ends is that of a file.
const FILE_NAME = /^[\w./-]+\.(?:key|keys|pem|txt|secret|token|password|pass|json|ya?ml|crt)$/

const referenceText = (input: unknown): string => {
  const form = 'must be a reference, "file:PATH" or "env:NAME"'
  return typeof input === 'string' && FILE_NAME.test(input)
    ? `${form}: write "file:${input}"`
    : `${form}: secrets must not be in the configuration`
}

/** `file:PATH` or `env:NAME` → {@link SecretReference}. */
export const secretSchema = z
  .string()
  .regex(/^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*)$/, {
    error: ({ input }) => referenceText(input),
  })
  .transform((text): SecretReference =>
    text.startsWith('file:')
      ? { kind: 'file', path: resolve(folder, text.slice('file:'.length)) }
      : { kind: 'environment', variable: text.slice('env:'.length) },
  )
  .register(VALUE_TYPES, { type: 'secret' })

/** A name that is compared as a whole, not a pattern. */
export const writtenOutName = z
  .string()
  .min(1)
  .refine((name) => !name.includes('*'), 'must be a name written out, without "*"')

/** Whether only this machine can reach the address. */
export const isLoopback = (address: Address): boolean =>
  address.kind === 'unix' ||
  address.host === 'localhost' ||
  address.host === '::1' ||
  /^127(\.\d{1,3}){3}$/.test(address.host)

/** Whether requests to a URL are confidential: over TLS, or on this machine (RFC 8252 §8.3). */
export const isConfidential = ({ protocol, hostname }: URL): boolean => {
  if (protocol === 'https:') return true
  const host = hostname.replaceAll(/^\[|\]$/g, '') // of IPv6
  return protocol === 'http:' && isLoopback({ kind: 'tcp', host, port: 0 })
}

/** The address as it is written in the configuration. */
export const formatAddress = (address: Address): string => {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`
}
