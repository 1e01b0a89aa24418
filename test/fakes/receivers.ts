// What upstreams make of headers, written from their rules and not from what we send. Each throws on
// what its receiver would not take for a header at all.

import assert from 'node:assert/strict'
import type { HeaderEncoding, ListForm } from '../../src/transform/schema.ts'
import type { Forwarding } from '../../src/transform/transformer.ts'

/** The lines of a header as they go out, in order. */
export const linesOf = (
  { setHeaders, repeatedHeaders }: Pick<Forwarding, 'setHeaders' | 'repeatedHeaders'>,
  header: string,
): readonly string[] => [
  ...setHeaders.flatMap(([name, line]) => (name === header ? [line] : [])),
  ...repeatedHeaders.flatMap(({ name, values }) => (name === header ? values : [])),
]

/**
 * The value of a header line, as UTF-8 (RFC 9110 §5.5): visible characters, space and tab, and bytes
 * beyond ASCII; white space at the ends is not part of it.
 */
export const fieldValue = (line: string): string => {
  const octets = Buffer.from(line).toString('latin1')
  assert.match(octets, /^[\t\x20-\x7e\x80-\xff]*$/, 'is no field-value')
  const trimmed = octets.replaceAll(/^[ \t]+|[ \t]+$/g, '')
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(trimmed, 'latin1'))
}

/** RFC 3986 §2.1; also what undoes nginx's `$ssl_client_escaped_cert`. */
export const percentDecoded = (text: string): string => decodeURIComponent(text)

/** An ext-value (RFC 8187 §3.2.1), of UTF-8 and without a language. */
const extValue = (text: string): string => {
  const [, coded] = /^UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)$/.exec(text) ?? []
  assert.ok(coded !== undefined, `"${text}" is no ext-value`)
  return decodeURIComponent(coded)
}

/** A byte sequence of a structured field (RFC 8941 §3.3.5), as RFC 9440 §2.1 has certificates. */
export const byteSequence = (text: string): Buffer => {
  const [, base64] = /^:([A-Za-z0-9+/]*={0,2}):$/.exec(text) ?? []
  assert.ok(base64 !== undefined, `"${text}" is no byte sequence`)
  return fromBase64(base64)
}

/** RFC 4648 §4, strictly. */
const fromBase64 = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'base64')
  assert.equal(bytes.toString('base64'), text)
  return bytes
}

const GO_BUFFER = 4_096

/**
 * Go 1.26, mime/quotedprintable: lenient about a `=` that encodes nothing, about lower case, about a `=`
 * at the end, and about bytes beyond ASCII. Fails on lines that do not fit into its buffer.
 *
 * @returns the octets as latin1; `undefined` where it fails
 */
export const goQuotedPrintable = (octets: string): string | undefined => {
  if (octets.length >= GO_BUFFER) return undefined
  const line = octets.replace(/[\n\r \t]+$/, '')
  const rest = octets.slice(line.length).replace(/^[ \t]+/, '')
  const soft = line.endsWith('=')
  if (soft && rest === '' && line.length === 1) return undefined
  const body = soft ? line.slice(0, -1) : line
  let decoded = ''
  for (let at = 0; at < body.length; at += 1) {
    const octet = body.charAt(at)
    const coded = body.slice(at + 1, at + 3)
    if (octet === '=' && /^[0-9A-Fa-f]{2}$/.test(coded)) {
      decoded += String.fromCharCode(Number.parseInt(coded, 16))
      at += 2
    } else if (octet === '=' && coded === '') return undefined
    else if (/[\t\r\n\x20-\x7e\x80-\xff]/.test(octet)) decoded += octet
    else return undefined
  }
  return decoded
}

/** `util.DecodeQuotedPrintable` of Grafana: what cannot be decoded is kept unchanged. */
export const grafanaText = (line: string): string => {
  const octets = Buffer.from(fieldValue(line)).toString('latin1')
  return Buffer.from(goQuotedPrintable(octets) ?? octets, 'latin1').toString()
}

/** `util.SplitString` of Grafana. */
export const grafanaList = (text: string): readonly string[] => {
  if (text.trim().startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text)
      return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : []
    } catch {
      return []
    }
  }
  const items = text.match(/"[^"]+"|[^,\t\n\v\f\r ]+/g) ?? []
  return items.map((item) => item.replaceAll(/^"+|"+$/g, ''))
}

/** What Grafana finds a remembered user by (`getProxyCacheKey`). */
export const grafanaKey = (forwarding: Forwarding): string =>
  ['x-webauth-user', 'x-webauth-groups']
    .map((name) => grafanaText(linesOf(forwarding, name)[0] ?? ''))
    .join('')

/** `tryProxyAuth` of Headlamp, for the groups: Go's `strings.Split` and `strings.TrimSpace`. */
export const headlampList = (line: string): readonly string[] =>
  fieldValue(line)
    .split(',')
    .map((group) => group.replaceAll(/^[\s\u0085]+|[\s\u0085]+$/gu, ''))
    .filter((group) => group !== '')

/** The key of an extra attribute in a header's name: `unescapeExtraKey` of kube-apiserver. */
export const extraKey = (name: string, prefix: string): string =>
  decodeURIComponent(name.toLowerCase().slice(prefix.length))

const DECODERS: Readonly<Record<HeaderEncoding, (text: string) => string>> = {
  refuse: (text) => text,
  utf8: (text) => text,
  percent: percentDecoded,
  rfc8187: extValue,
  'quoted-printable': grafanaText,
  base64: (text) => fromBase64(text).toString(),
}

const SPLIT_FIRST: ReadonlySet<HeaderEncoding> = new Set(['percent', 'rfc8187', 'base64'])

/** The values that the lines of a header of `forward.set` say. */
export const valuesIn = (
  lines: readonly string[],
  { list, encode }: { readonly list: ListForm; readonly encode: HeaderEncoding },
): readonly string[] => {
  const decode = DECODERS[encode]
  const texts = lines.map(fieldValue)
  if (list === 'lines') return texts.map(decode)
  if (texts.length === 0) return []
  const text = texts.join()
  if (list === 'json') return JSON.parse(decode(text))
  return SPLIT_FIRST.has(encode) ? text.split(',').map(decode) : listMembers(decode(text))
}

/** Members of a list (RFC 9110 §5.6.1), of which some may be quoted strings (§5.6.4). */
const listMembers = (text: string): readonly string[] =>
  (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/gsu) ?? [])
    .map((member) => member.replaceAll(/^[\s\p{Cc}]+|[\s\p{Cc}]+$/gu, ''))
    .filter((member) => member !== '')
