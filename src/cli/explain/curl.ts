// A curl command line → its request. Understands what browsers copy ("Copy as cURL"), what kubectl -v=9 prints,
// and the options that tutorials use; refuses every other option by name. It reads no file and sends nothing.

import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { usageError } from '../usage-error.ts'
import { readUrl, type RequestUrl } from './request-url.ts'

/** The request of a curl command line. */
export interface CurlRequest extends Pick<RequestUrl, 'scheme' | 'hostname'> {
  readonly method: string
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly headers: Lines
  /** The file of `--cert`. */
  readonly certificate?: string
}

type Lines = readonly (readonly [name: string, value: string])[]

const flag = (short?: string) => ({ type: 'boolean', ...(short && { short }) }) as const
const text = (short?: string) => ({ type: 'string', ...(short && { short }) }) as const

/** Options that determine the request. */
const REQUEST = {
  url: text(),
  request: text('X'),
  header: text('H'),
  user: text('u'),
  'oauth2-bearer': text(),
  data: text('d'),
  'data-raw': text(),
  'data-binary': text(),
  'data-ascii': text(),
  'data-urlencode': text(),
  json: text(),
  form: text('F'),
  head: flag('I'),
  cookie: text('b'),
  'user-agent': text('A'),
  referer: text('e'),
  compressed: flag(),
  cert: text('E'),
  'path-as-is': flag(),
  globoff: flag('g'),
} as const

/** Options of the connection and the output, which have no effect on the request. */
const IGNORED = {
  insecure: flag('k'),
  silent: flag('s'),
  'show-error': flag('S'),
  verbose: flag('v'),
  include: flag('i'),
  location: flag('L'),
  fail: flag('f'),
  'fail-with-body': flag(),
  'progress-bar': flag('#'),
  'no-buffer': flag('N'),
  ipv4: flag('4'),
  ipv6: flag('6'),
  'http1.1': flag(),
  http2: flag(),
  output: text('o'),
  'write-out': text('w'),
  cacert: text(),
  key: text(),
  'cert-type': text(),
  pass: text(),
  resolve: text(),
  'connect-to': text(),
  'connect-timeout': text(),
  'max-time': text('m'),
  retry: text(),
  proxy: text('x'),
} as const

const OPTIONS = { ...REQUEST, ...IGNORED }

const FORM_DATA = ['data', 'data-raw', 'data-binary', 'data-ascii', 'data-urlencode'] as const

/** The values of an option, in order; a flag that is set has one. */
type Values = (name: keyof typeof REQUEST) => readonly string[]

/**
 * Reads a curl command line.
 *
 * @param args its words, as split by the shell, beginning with `curl`
 * @throws CountersignError naming the option that is not supported, or what is missing
 */
export const readCurl = (args: readonly string[]): CurlRequest => {
  const [command = '', ...words] = args
  if (!/^curl(\.exe)?$/i.test(basename(command.replaceAll('\\', '/')))) {
    throw usageError('"--" must be followed by a curl command line: curl [options] URL')
  }
  const values = valuesOf(words)
  const [address, ...more] = values('url')
  if (address === undefined) throw usageError('the curl command line has no URL')
  if (more.length > 0) throw usageError('the curl command line has several URLs; explain one')
  if (values('globoff').length === 0) refuseGlobs(address)
  const url = readUrl(address, { asIs: values('path-as-is').length > 0 })
  const headers = headersOf(values, url)
  const certificate = values('cert').at(-1)
  return {
    method: methodOf(values),
    scheme: url.scheme,
    hostname: url.hostname,
    host: headers.find(([name]) => name === 'host')?.[1] ?? url.authority,
    path: url.target,
    headers: headers.filter(([name]) => name !== 'host'),
    ...(certificate === undefined ? {} : { certificate: fileOf(certificate) }),
  }
}

const valuesOf = (words: readonly string[]): Values => {
  // Not strict: a value such as a multipart boundary may begin with a dash.
  const { tokens } = parseArgs({
    args: [...words],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const found = tokens.flatMap((token): Lines => {
    if (token.kind === 'positional') return [['url', token.value]]
    if (token.kind !== 'option') return []
    const option = Object.entries(OPTIONS).find(([name]) => name === token.name)?.[1]
    if (option === undefined) throw usageError(`curl option "${token.rawName}" is not supported`)
    if (option.type === 'string' && token.value === undefined) {
      throw usageError(`curl option "${token.rawName}" needs a value`)
    }
    return [[token.name, token.value ?? '']]
  })
  return (name) => found.flatMap(([option, value]) => (option === name ? [value] : []))
}

/** Braces and brackets make several requests; those of an IPv6 address do not. */
const refuseGlobs = (url: string): void => {
  if (/[{}]|\[(?![0-9a-f:.%]*:[0-9a-f:.%]*\])/i.test(url)) {
    throw usageError('brackets or braces in the URL make curl send several requests; add -g')
  }
}

const methodOf = (values: Values): string => {
  const method = values('request').at(-1)
  if (method !== undefined) return method
  if (values('head').length > 0) return 'HEAD'
  return contentTypeOf(values) === undefined ? 'GET' : 'POST'
}

const contentTypeOf = (values: Values): string | undefined => {
  if (values('json').length > 0) return 'application/json'
  if (values('form').length > 0) return 'multipart/form-data'
  const hasData = FORM_DATA.some((name) => values(name).length > 0)
  return hasData ? 'application/x-www-form-urlencoded' : undefined
}

/** The headers that curl adds, unless -H replaces or removes them. Names in lower case. */
const headersOf = (values: Values, url: RequestUrl): Lines => {
  const given = values('header').map(readHeader)
  const named = new Set(given.map(([name]) => name))
  const added: readonly (readonly [string, string | undefined])[] = [
    ['user-agent', values('user-agent').at(-1) ?? 'curl'],
    ['accept', values('json').length > 0 ? 'application/json' : '*/*'],
    ['authorization', authorizationOf(values, url)],
    ['cookie', cookiesOf(values)],
    ['referer', values('referer').at(-1)],
    ['accept-encoding', values('compressed').length > 0 ? 'deflate, gzip, br, zstd' : undefined],
    ['content-type', contentTypeOf(values)],
  ]
  return [...added.filter(([name]) => !named.has(name)), ...given].flatMap(([name, value]): Lines =>
    value === undefined ? [] : [[name, value]],
  )
}

/** `Name: value`, `Name;` for an empty value, `Name:` for removal. */
const readHeader = (line: string): readonly [name: string, value: string | undefined] => {
  if (line.startsWith('@')) throw usageError('-H @FILE is not supported; give the headers')
  const [, name = '', separator, rest = ''] = /^([^:;]*)([:;])(.*)$/s.exec(line) ?? []
  const value = rest.trim()
  if (separator === ':') return [name.toLowerCase(), value === '' ? undefined : value]
  if (separator === ';' && value === '') return [name.toLowerCase(), '']
  throw usageError('a header of the curl command line has no colon')
}

const authorizationOf = (values: Values, url: RequestUrl): string | undefined => {
  const token = values('oauth2-bearer').at(-1)
  if (token !== undefined) return `Bearer ${token}`
  const pair = values('user').at(-1) ?? url.user
  if (pair?.includes(':') === false) {
    throw usageError('curl would prompt for the password of -u: give it as USER:PASSWORD')
  }
  return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
}

const cookiesOf = (values: Values): string | undefined => {
  const cookies = values('cookie')
  if (cookies.some((cookie) => !cookie.includes('='))) {
    throw usageError('-b FILE is not supported; give the cookies as NAME=VALUE')
  }
  return cookies.length === 0 ? undefined : cookies.join(';')
}

/** `FILE` or `FILE:PASSWORD`; a colon of the name is escaped (curl(1), --cert). */
const fileOf = (value: string): string => {
  const [file = ''] = /^(?:[^:\\]|\\.)*/s.exec(value) ?? []
  return file.replaceAll('\\:', ':')
}
