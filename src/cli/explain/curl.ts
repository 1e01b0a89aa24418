// A curl command line → the request that curl would send, so that what people paste can be explained.
// Follows curl 7.88 as measured; reads no file and sends nothing.

import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { usageError } from '../usage-error.ts'
import { CURL_OPTIONS, type CurlKey } from './curl-options.ts'
import { encodeData, readUrl, type RequestUrl } from './curl-url.ts'

/** The request of a curl command line. */
export interface CurlRequest extends Pick<RequestUrl, 'scheme' | 'hostname'> {
  readonly method: string
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The file of `--cert`. */
  readonly certificate?: string
}

/**
 * Reads a curl command line.
 *
 * @param args its words, as the shell made them, from `curl` on
 * @throws CountersignError naming the option that is not understood, or what is missing
 */
export const readCurl = (args: readonly string[]): CurlRequest => {
  const [command = '', ...words] = args
  if (!/^curl(\.exe)?$/i.test(basename(command.replaceAll('\\', '/')))) {
    throw usageError('after "--" comes a command line of curl: curl [options] URL')
  }
  const said = settingsOf(words)
  const [text = '', ...others] = said('url')
  if (text === '') throw usageError('the curl command line has no URL')
  if (others.length > 0) throw usageError('the curl command line has several URLs; explain one')
  if (said('noGlobs').length === 0) refuseGlobs(text)
  const url = readUrl(text, { asIs: said('asIs').length > 0 })
  const headers = headersOf(said, url)
  const host = headers.find(([name]) => name === 'host')?.[1] ?? url.authority
  const certificate = said('certificate').at(-1)
  const { scheme, hostname } = url
  return {
    method: methodOf(said),
    scheme,
    host,
    hostname,
    path: pathOf(said, url),
    headers: headers.filter(([name]) => name !== 'host'),
    ...(certificate === undefined ? {} : { certificate: fileOf(certificate) }),
  }
}

/** The values of an option, in the order given; a flag that is set has one. */
type Said = (key: CurlKey) => readonly string[]

const OPTIONS = Object.fromEntries(
  [...CURL_OPTIONS].map(([name, { short, takesValue }]) => [
    name,
    { type: takesValue ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
  ]),
)

const settingsOf = (words: readonly string[]): Said => {
  const values = new Map<CurlKey, string[]>()
  const { tokens } = parseArgs({
    args: [...words],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'positional') add(values, 'url', token.value)
    else if (token.kind === 'option') readOption(values, token)
  }
  return (key) => values.get(key) ?? []
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

const readOption = (values: Map<CurlKey, string[]>, token: OptionToken): void => {
  const { name, rawName, value } = token
  // "--no-silent" undoes "--silent".
  const positive = rawName.startsWith('--no-')
    ? CURL_OPTIONS.get(name.slice('no-'.length))
    : undefined
  const option = CURL_OPTIONS.get(name) ?? positive
  const undone = !CURL_OPTIONS.has(name) && positive?.takesValue === false
  if (option === undefined || (!undone && option === positive)) {
    throw usageError(`curl's option "${rawName}" is not understood here`)
  }
  if (rawName.startsWith('--') && token.inlineValue === true) {
    throw usageError(`curl has no "${rawName}=…": the value of "${rawName}" is a word of its own`)
  }
  if (undone) {
    values.delete(option.key)
  } else if (!option.takesValue) {
    add(values, option.key, '')
  } else if (value === undefined) {
    throw usageError(`curl's option "${rawName}" needs a value`)
  } else {
    add(values, option.key, value)
  }
}

const add = (values: Map<CurlKey, string[]>, key: CurlKey, value: string): void => {
  const before = values.get(key)
  if (before === undefined) values.set(key, [value])
  else before.push(value)
}

/** One command line can ask for many URLs by patterns; brackets of an IPv6 address are none. */
const refuseGlobs = (text: string): void => {
  if (/[{}]|\[(?![0-9a-f:.%]*:[0-9a-f:.%]*\])/i.test(text)) {
    throw usageError(
      'the URL holds brackets or braces, of which curl makes several; -g turns that off',
    )
  }
}

const methodOf = (said: Said): string => {
  const given = said('method').at(-1)
  if (given !== undefined) return given
  if (said('head').length > 0) return 'HEAD'
  if (said('upload').length > 0) return 'PUT'
  const sends = (['data', 'encoded', 'json', 'form'] as const).some((key) => said(key).length > 0)
  return sends && said('asQuery').length === 0 ? 'POST' : 'GET'
}

const pathOf = (said: Said, { target }: RequestUrl): string => {
  const mark = target.indexOf('?')
  const [path, query] = mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
  const upload = said('upload').at(-1)
  const file = upload !== undefined && path.endsWith('/') ? basename(upload) : ''
  const data = [
    ...said('data').map((text) => contentOf(text, 'data')),
    ...said('encoded').map(encodedData),
  ]
  const more = [
    ...(said('asQuery').length > 0 ? data : []),
    ...said('query').map((text) => (text.startsWith('+') ? text.slice(1) : encodedData(text))),
  ]
  const all = [query, ...more].filter((part) => part !== '').join('&')
  if (/\s/.test(all)) throw usageError('the query has a space in it; curl escapes --data-urlencode')
  return `${path}${encodeURI(file)}${all && `?${all}`}`
}

const contentOf = (text: string, option: string): string => {
  if (text.startsWith('@'))
    throw usageError(`--${option} from a file cannot be part of a query here`)
  return text
}

/** `content`, `=content` or `name=content` (curl(1), --data-urlencode). */
const encodedData = (text: string): string => {
  const mark = text.search(/[=@]/)
  if (mark === -1) return encodeData(text)
  if (text[mark] === '@') return contentOf('@', 'data-urlencode')
  const content = encodeData(text.slice(mark + 1))
  return mark === 0 ? content : `${text.slice(0, mark)}=${content}`
}

type Lines = readonly (readonly [name: string, value: string])[]

/** What curl sends by itself, and what replaces or removes it. Names in lower case. */
const headersOf = (said: Said, url: RequestUrl): Lines => {
  const given = said('header').map(readHeader)
  const named = new Set(given.map(([name]) => name))
  const own = ownHeaders(said, url).filter(([name]) => !named.has(name))
  const kept = given.flatMap(([name, value]): Lines => (value === undefined ? [] : [[name, value]]))
  return [...own, ...kept]
}

/** `Name: value`, `Name;` for one that is empty, `Name:` for none. */
const readHeader = (line: string): readonly [name: string, value: string | undefined] => {
  if (line.startsWith('@')) throw usageError('-H @FILE is not understood here; give the headers')
  const colon = line.indexOf(':')
  if (colon === -1) {
    if (line.endsWith(';')) return [line.slice(0, -1).toLowerCase(), '']
    throw usageError('a header of the curl command line has no colon, and curl would not send it')
  }
  const value = line.slice(colon + 1).trim()
  return [line.slice(0, colon).toLowerCase(), value === '' ? undefined : value]
}

const ownHeaders = (said: Said, url: RequestUrl): Lines => {
  const sends = methodOf(said) !== 'GET' && said('asQuery').length === 0
  const isJson = said('json').length > 0
  const isForm = said('data').length + said('encoded').length > 0
  const type = isJson
    ? 'application/json'
    : isForm
      ? 'application/x-www-form-urlencoded'
      : undefined
  const lines: (readonly [string, string | undefined])[] = [
    ['user-agent', said('agent').at(-1) ?? 'curl'],
    ['accept', isJson ? 'application/json' : '*/*'],
    ['authorization', authorizationOf(said, url)],
    ['cookie', cookiesOf(said)],
    [
      'referer',
      said('referer')
        .at(-1)
        ?.replace(/;auto$/, ''),
    ],
    ['range', said('range').at(-1)?.replace(/^/, 'bytes=')],
    ['accept-encoding', said('compressed').length > 0 ? 'deflate, gzip, br, zstd' : undefined],
    ['content-type', sends ? (said('form').length > 0 ? 'multipart/form-data' : type) : undefined],
  ]
  return lines.flatMap(([name, value]): Lines => (value ? [[name, value]] : []))
}

const authorizationOf = (said: Said, url: RequestUrl): string | undefined => {
  const token = said('bearer').at(-1)
  if (token !== undefined) return `Bearer ${token}`
  const user = said('user').at(-1)
  if (user?.includes(':') === false) {
    throw usageError('curl would ask for the password of -u: give it as USER:PASSWORD')
  }
  const pair = user ?? url.user
  return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
}

const cookiesOf = (said: Said): string | undefined => {
  const given = said('cookie')
  if (given.some((text) => !text.includes('='))) {
    throw usageError('-b FILE is not understood here; give the cookies as NAME=VALUE')
  }
  return given.length === 0 ? undefined : given.join(';')
}

/** `FILE` or `FILE:PASSWORD`; a colon of the name is escaped (curl(1), --cert). */
const fileOf = (value: string): string => {
  const [file = ''] = /^(?:[^:\\]|\\.)*/s.exec(value) ?? []
  return file.replaceAll('\\:', ':')
}
