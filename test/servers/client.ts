// Well-behaved callers: one request over HTTP/1.1 or HTTP/2, on a connection of its own.

import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { ConnectionOptions } from 'node:tls'
import type { KeyPair } from './pki.ts'

/** A header line. */
export type HeaderLine = readonly [name: string, value: string]

/** Where a request goes and who sends it. */
export interface Target {
  readonly port: number
  readonly host?: string
  /** SNI, and the name that the server's certificate must carry. */
  readonly serverName?: string
  /** PEM file: the CA of the server's certificate. */
  readonly ca: string
  /** The caller's own certificate. */
  readonly client?: KeyPair
  /** The address that the caller has; of HTTP/1.1. */
  readonly from?: string
}

/** What came back. */
export interface Answer {
  readonly status: number
  /** Lower-cased names; repeated lines are listed one by one. */
  readonly headers: readonly HeaderLine[]
  readonly body: string
}

/** What to send; the path goes out as it is. */
export interface RequestOptions {
  readonly method?: string
  readonly path?: string
  /** `Host` or `:authority`; default: the target's server name. */
  readonly host?: string
  readonly headers?: readonly HeaderLine[]
  readonly body?: string
}

/** All values of a header of an answer. */
export const valuesOf = ({ headers }: Answer, name: string): readonly string[] =>
  headers.filter(([candidate]) => candidate === name).map(([, value]) => value)

/** TLS options for a target. */
export const connectionTo = async (target: Target): Promise<ConnectionOptions> => ({
  host: target.host ?? '127.0.0.1',
  port: target.port,
  servername: target.serverName ?? 'localhost',
  ca: await readFile(target.ca),
  ...(target.client === undefined
    ? {}
    : { cert: await readFile(target.client.certificate), key: await readFile(target.client.key) }),
})

/** Name, value, name, value … → pairs with lower-cased names. */
export const pairsOf = (raw: readonly string[]): readonly HeaderLine[] =>
  raw.flatMap((name, index): readonly HeaderLine[] =>
    index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? '']] : [],
  )

/** Sends one request over HTTP/1.1. */
export const http1 = async (target: Target, options: RequestOptions = {}): Promise<Answer> => {
  const connection = await connectionTo(target)
  const {
    method = 'GET',
    path = '/',
    host = connection.servername ?? '',
    headers = [],
    body,
  } = options
  const lines: readonly HeaderLine[] = [['host', host], ...headers, ...lengthOf(body)]
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const from = target.from === undefined ? {} : { localAddress: target.from }
    httpsRequest({ ...connection, ...from, method, path, headers: lines.flat(), agent: false })
      .once('error', reject)
      .once('response', resolve)
      .end(body)
  })
  return {
    status: response.statusCode ?? 0,
    headers: pairsOf(response.rawHeaders),
    body: (await buffer(response)).toString(),
  }
}

const lengthOf = (body: string | undefined): readonly HeaderLine[] =>
  body === undefined ? [] : [['content-length', String(Buffer.byteLength(body))]]

/** Sends one request over HTTP/2. */
export const http2 = async (target: Target, options: RequestOptions = {}): Promise<Answer> => {
  const session = await openHttp2(target)
  try {
    return await http2On(session, options)
  } finally {
    session.destroy()
  }
}

/** Opens an HTTP/2 connection, for several requests with {@link http2On}. The caller destroys it. */
export const openHttp2 = async (target: Target): Promise<ClientHttp2Session> => {
  const { host = '', port = 0, ...connection } = await connectionTo(target)
  const session = connectHttp2(`https://${host}:${port}`, { ...connection, host, port })
  await new Promise((resolve, reject) => {
    session.once('connect', resolve)
    session.once('error', reject)
  })
  // Errors reach the caller through its streams; without a listener they would be thrown.
  session.on('error', () => undefined)
  return session
}

/** Sends one request on an open HTTP/2 connection. */
export const http2On = async (
  session: ClientHttp2Session,
  { method = 'GET', path = '/', host = 'localhost', headers = [], body }: RequestOptions = {},
): Promise<Answer> => {
  const pseudo: readonly HeaderLine[] = [
    [':method', method],
    [':path', path],
    [':scheme', 'https'],
    [':authority', host],
  ]
  const stream = session.request([...pseudo, ...headers].flat(), { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const answered = new Promise<readonly HeaderLine[]>((resolve, reject) => {
    stream.once('error', reject)
    stream.once('response', (_headers, _flags, raw: readonly string[]) => resolve(pairsOf(raw)))
  })
  // Both at once: node discards what is unread by the time that the stream is closed.
  const [head, content] = await Promise.all([answered, buffer(stream)])
  return {
    status: Number(head.find(([name]) => name === ':status')?.[1] ?? 0),
    headers: head.filter(([name]) => !name.startsWith(':')),
    body: content.toString(),
  }
}
