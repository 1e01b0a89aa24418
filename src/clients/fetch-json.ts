// Fetches a JSON document over HTTPS. It follows no redirect: a redirecting server could replace the issuer's keys.

import { httpFetcher, type HttpResponse } from '../runtime/http/fetch.ts'
import type { JsonObject } from '../runtime/json-object.ts'
import { readJsonObject } from '../runtime/strict-json.ts'

/** A document, and its freshness lifetime. */
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
export const jsonFetcher = (ca: Buffer | undefined): FetchJson => {
  // Some minutes lie between two requests: a kept connection would be dead more often than not.
  const { fetch } = httpFetcher({ ca })
  return async (url, signal) => {
    const request = { headers: { accept: 'application/json' }, maxBytes: MAX_BYTES }
    const { status, headers, body } = await fetch(url, request, signal)
    if (status !== 200) throw new Error(`${url.href} answered ${status}, where 200 belongs`)
    const document = readJsonObject(body)
    if (document === undefined) throw new Error(`${url.href} sent no JSON object`)
    return { document, maxAge: maxAgeOf(headers) }
  }
}

const maxAgeOf = (headers: HttpResponse['headers']): number | undefined => {
  const control = headers['cache-control']?.toLowerCase() ?? ''
  if (/(^|[\s,])no-(cache|store)\b/.test(control)) return 0
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})/.exec(control)?.[1]
  if (seconds === undefined) return undefined
  // RFC 9111 §4.2.3: what a cache on the way has used up already.
  const age = /^\d{1,9}$/.exec(headers.age ?? '')?.[0] ?? '0'
  return Math.max(0, Number(seconds) - Number(age)) * 1_000
}
