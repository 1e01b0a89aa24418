// One JSON document over HTTPS. Follows nothing: whoever could redirect us could choose our keys.

import { get as getHttp, type IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import { describeError } from '../../runtime/errors.ts'
import { readJsonObject, type JsonObject } from './strict-json.ts'

/** A document, and how long its sender says that it is good for. */
interface FetchedJson {
  readonly document: JsonObject
  /** In milliseconds (RFC 9111 §5.2.2.1); `undefined` when it does not say. */
  readonly maxAge: number | undefined
}

/** Fetches a JSON object; rejects with a message for operators. */
export type FetchJson = (url: URL, signal: AbortSignal) => Promise<FetchedJson>

// The largest key sets known have some dozens of keys, each with its certificate chain.
const MAX_BYTES = 262_144

/**
 * Makes a {@link FetchJson} over https, or over http where the caller let such a URL pass.
 *
 * @param ca PEM of the only certificate authorities to trust; without it, those that Node trusts
 */
export const jsonFetcher =
  (ca: Buffer | undefined): FetchJson =>
  async (url, signal) => {
    const response = await request(url, ca, signal)
    try {
      assertUsable(url, response)
      const document = readJsonObject(await bodyOf(url, response, signal))
      if (document === undefined) throw new Error(`${url.href} sent no JSON object`)
      return { document, maxAge: maxAgeOf(response) }
    } finally {
      response.destroy()
    }
  }

const request = async (
  url: URL,
  ca: Buffer | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options = {
    // Some minutes lie between two requests: a kept connection would be dead more often than not.
    agent: false,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    signal,
    ...(ca === undefined ? {} : { ca }),
  }
  const get = url.protocol === 'https:' ? getHttps : getHttp
  get(url, options, resolve).on('error', (cause) => reject(failure(url, cause, signal)))
  return await promise
}

const assertUsable = (url: URL, { statusCode, headers }: IncomingMessage): void => {
  if (statusCode !== 200) throw new Error(`${url.href} answered ${statusCode}, where 200 belongs`)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new Error(`${url.href} sent ${encoding}, which was not asked`)
}

const bodyOf = async (
  url: URL,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      chunks.push(bytes)
      if (size > MAX_BYTES) break // which ends the connection
    }
  } catch (cause) {
    throw failure(url, cause, signal)
  }
  if (size > MAX_BYTES) throw new Error(`${url.href} sent more than ${MAX_BYTES} bytes`)
  return Buffer.concat(chunks)
}

const failure = (url: URL, cause: unknown, signal: AbortSignal): Error => {
  const reason = describeError(signal.aborted ? signal.reason : cause)
  return new Error(`${url.href} cannot be fetched: ${reason}`, { cause })
}

const maxAgeOf = ({ headers }: IncomingMessage): number | undefined => {
  const control = headers['cache-control']?.toLowerCase() ?? ''
  if (/(^|[\s,])no-(cache|store)\b/.test(control)) return 0
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})/.exec(control)?.[1]
  if (seconds === undefined) return undefined
  // RFC 9111 §4.2.3: what a cache on the way has used up already.
  const age = /^\d{1,9}$/.exec(headers.age ?? '')?.[0] ?? '0'
  return Math.max(0, Number(seconds) - Number(age)) * 1_000
}
