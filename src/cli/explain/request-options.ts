// A request on the command line: by options, in a file, or as a curl command line. All three use the schema
// of the tests of a configuration.

import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Option, type Command } from 'commander'
import { attributesOf } from '../../tools/policy-tests/run.ts'
import { questionSchema, type PolicyQuestion } from '../../configuration/policy-tests-schema.ts'
import type { CheckAttributes } from '../../request/attributes.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { decodePem, encodePem } from '../../x509/pem.ts'
import { usageError } from '../usage-error.ts'
import { readUrl } from './request-url.ts'
import { readCurl } from './curl.ts'

/** The options of a request and an identity. */
export interface RequestOptions {
  readonly request?: string
  readonly method?: string
  readonly url?: string
  readonly host?: string
  readonly path?: string
  readonly header: readonly string[]
  readonly certificate?: string
  readonly source?: string
  readonly route?: string
  readonly at?: string
  readonly user?: string
  readonly group: readonly string[]
  readonly uid?: string
  readonly extra: readonly string[]
  readonly authenticator?: string
  readonly claims?: string
}

/** The question. */
export interface Asked extends Pick<PolicyQuestion, 'identity' | 'reviewed'> {
  readonly attributes: CheckAttributes
  /** The time of the request, in milliseconds since the epoch; `undefined` for now. */
  readonly at: number | undefined
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
const several = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(collect).default([])

/** Adds the options, and the words of a curl command line behind `--`. */
export const addRequestOptions = (command: Command): Command =>
  command
    .argument('[curl...]', 'after "--": the request as a curl command line')
    .option('--method <method>', 'the HTTP method (default: GET)')
    .option('--url <url>', 'host and path in one')
    .option('--host <host>', 'the host')
    .option('--path <path>', 'the path, with its query (default: /)')
    .addOption(several('--header <line>', '"Name: value"; repeatable'))
    .option('--certificate <file>', 'the client certificate of the TLS connection, PEM')
    .option('--source <address>', 'the address of the client')
    .option('--route <name>', 'the route that Envoy chose (default: by host and path)')
    .option('--at <time>', 'the time for rules (RFC 3339; default: now)')
    .option(
      '--request <file>',
      'a JSON file with "request" and "identity", as in the "tests" of a configuration; "-" for standard input',
    )
    .option('--user <name>', 'the authenticated user: no credential is verified')
    .addOption(several('--group <name>', 'a group of the user; repeatable'))
    .option('--uid <id>', 'the stable identifier of the user')
    .addOption(several('--extra <key=value>', 'an extra attribute of the user; repeatable'))
    .option(
      '--authenticator <name>',
      'the authenticator of the user (default: the first of the route)',
    )
    .option('--claims <json>', 'the claims of the token of the user')

/**
 * Reads the question.
 *
 * @param words of the curl command line, if there is one
 * @throws CountersignError when it is invalid
 */
export const readAsked = async (
  options: RequestOptions,
  words: readonly string[],
  stdin: Readable,
): Promise<Asked> => {
  const { question, certificate } = await questionOf(options, words, stdin)
  const parsed = questionSchema.safeParse(question)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
    )
    throw usageError(`the request is invalid: ${problems.join('; ')}`)
  }
  const { request, identity, reviewed } = parsed.data
  const file = options.certificate ?? certificate
  const attributes = attributesOf(request)
  return {
    attributes:
      file === undefined ? attributes : { ...attributes, peerCertificate: await leafOf(file) },
    identity,
    reviewed,
    at: request.at === undefined ? undefined : Date.parse(request.at),
  }
}

/** Whether any option of a request or an identity is given. */
export const saysRequest = ({ header, group, extra, ...options }: RequestOptions): boolean =>
  header.length + group.length + extra.length > 0 ||
  (['request', 'method', 'url', 'host', 'path', 'certificate'] as const).some(said(options)) ||
  (['source', 'route', 'at', 'user', 'uid', 'authenticator', 'claims'] as const).some(said(options))

const said =
  (options: Partial<RequestOptions>) =>
  (key: keyof RequestOptions): boolean =>
    options[key] !== undefined

/** The question, not validated yet. */
interface RawQuestion {
  readonly question: JsonObject
  /** The file of the client certificate. */
  readonly certificate?: string
}

const questionOf = async (
  options: RequestOptions,
  words: readonly string[],
  stdin: Readable,
): Promise<RawQuestion> => {
  const { request: file, source, route, at } = options
  const inParts = ['method', 'url', 'host', 'path'] as const
  const named = inParts.filter((key) => options[key] !== undefined).map((key) => `--${key}`)
  if (options.header.length > 0) named.push('--header')
  const forms = [words.length > 0, file !== undefined, named.length > 0].filter(Boolean)
  if (forms.length > 1) {
    throw usageError('give the request once: by options, by --request, or as a curl command line')
  }
  if (forms.length === 0)
    throw usageError('there is no request: give --url, --request, or "-- curl …"')
  const given = { ...defined({ source, route, at }) }
  const asked = identityIn(options)
  if (file !== undefined) {
    const read = await readJson(file, stdin)
    const { request, identity } = read
    const about = isJsonObject(request) ? { ...request, ...given } : request
    return { question: { ...read, request: about, ...defined({ identity: asked ?? identity }) } }
  }
  const { request, certificate } = words.length > 0 ? fromCurl(words) : fromOptions(options)
  const question = { request: { ...request, ...given }, ...defined({ identity: asked }) }
  return { question, ...(certificate === undefined ? {} : { certificate }) }
}

interface RequestFields {
  readonly request: JsonObject
  readonly certificate?: string | undefined
}

const fromCurl = (words: readonly string[]): RequestFields => {
  const { method, host, path, headers, scheme, hostname, certificate } = readCurl(words)
  const serverName = scheme === 'https' ? serverNameOf(hostname) : ''
  return { request: { method, host, path, headers: linesOf(headers), serverName }, certificate }
}

const fromOptions = ({ method, url, host, path, header }: RequestOptions): RequestFields => {
  const headers = linesOf(
    header.map((line) => {
      const colon = line.indexOf(':')
      if (colon < 1) throw usageError('--header must be "Name: value"')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    }),
  )
  if (url === undefined) return { request: { ...defined({ method, host, path }), headers } }
  if (host !== undefined || path !== undefined) {
    throw usageError('--url includes host and path; omit --host and --path')
  }
  const { authority, target, scheme, hostname, user } = readUrl(url, { asIs: true })
  if (user !== undefined) throw usageError('--url must not contain a password; use "-- curl"')
  const serverName = scheme === 'https' ? serverNameOf(hostname) : ''
  return { request: { ...defined({ method }), host: authority, path: target, headers, serverName } }
}

// RFC 6066 §3: an address is not a server name.
const serverNameOf = (hostname: string): string =>
  /^[\d.]+$|:/.test(hostname) ? '' : hostname.toLowerCase()

type Pairs = readonly (readonly [key: string, value: string])[]

const valuesByKey = (pairs: Pairs): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...Map.groupBy(pairs, ([key]) => key)].map(([key, all]) => [
      key,
      all.map(([, value]) => value),
    ]),
  )

/** Header lines by their names, without regard to case. */
const linesOf = (lines: Pairs): Readonly<Record<string, readonly string[]>> =>
  valuesByKey(lines.map(([name, value]) => [name.toLowerCase(), value]))

const identityIn = (options: RequestOptions): JsonObject | undefined => {
  const { user, group, uid, extra, authenticator, claims } = options
  if (user === undefined) {
    const more = [uid, authenticator, claims, ...group, ...extra]
    if (more.some((value) => value !== undefined)) {
      throw usageError('--group, --uid, --extra, --authenticator and --claims require --user')
    }
    return undefined
  }
  const values = extra.map((pair) => {
    const mark = pair.indexOf('=')
    if (mark < 1) throw usageError('--extra must be KEY=VALUE')
    return [pair.slice(0, mark), pair.slice(mark + 1)] as const
  })
  return {
    user,
    groups: group,
    extra: valuesByKey(values),
    ...defined({ uid, authenticator }),
    ...(claims === undefined ? {} : { claims: parseJson(claims, '--claims') }),
  }
}

const defined = (values: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

const readJson = async (file: string, stdin: Readable): Promise<JsonObject> => {
  const place = file === '-' ? 'standard input' : file
  const value = parseJson(file === '-' ? await text(stdin) : await readText(file), place)
  if (!isJsonObject(value)) throw usageError(`${place}: must be a JSON object`)
  return value
}

// The message of the parser quotes the text, which may contain a credential.
const parseJson = (json: string, place: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    throw usageError(`${place}: must be JSON`)
  }
}

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new CountersignError('file-unreadable', describeError(cause), { cause })
  }
}

/** The first certificate of a file, encoded as Envoy does. */
const leafOf = async (file: string): Promise<string> => {
  const [der] = decodePem('CERTIFICATE', await readText(file))
  if (der === undefined) throw usageError(`${file} contains no certificate in PEM`)
  return encodeURIComponent(encodePem('CERTIFICATE', der))
}
