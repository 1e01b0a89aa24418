// How a provider of others is reached: bounded in size and time, never in the clear but on this machine,
// and following nothing: whoever could redirect us could choose its keys.

import type { CustomFetch, FetchBody } from 'openid-client'
import { isLoopback } from '../../../config/values.ts'
import { describeError } from '../../../runtime/errors.ts'
import { httpFetcher } from '../../../runtime/http-fetch.ts'

/** There was no answer. */
export class ProviderUnreachable extends Error {}

/** For each answer, in seconds: what is done for a login fits into what Envoy waits. */
export const ANSWER_LIMIT_S = 4

// A key set, or a token with hundreds of groups, is far smaller.
const MAX_BYTES = 1_048_576
// fetch.spec.whatwg.org: these have no body, and a Response refuses one.
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/** Whether what is sent there stays between us and it. */
export const isConfidential = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' ||
  (protocol === 'http:' && isLoopback({ kind: 'tcp', host: hostname, port: 0 }))

/** The requests of the library, by our client. */
export const providerFetch = (ca: Buffer | undefined): CustomFetch => {
  const { fetch } = httpFetcher({ ca }) // it keeps no connections, so there is nothing to end
  return async (target, { method, headers, body, signal }) => {
    const url = new URL(target)
    if (!isConfidential(url)) throw new Error(`${url.href} is not https: nothing is sent there`)
    const sent = textOf(body)
    const limit = AbortSignal.timeout(ANSWER_LIMIT_S * 1_000)
    const request = {
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      maxBytes: MAX_BYTES,
      ...(sent === undefined ? {} : { body: sent }),
    } as const
    try {
      const answer = await fetch(
        url,
        request,
        signal === undefined ? limit : AbortSignal.any([signal, limit]),
      )
      const { status, body: content } = answer
      return new Response(WITHOUT_BODY.has(status) ? null : new Uint8Array(content), {
        status,
        headers: headersOf(answer.headers),
      })
    } catch (cause) {
      throw new ProviderUnreachable(describeError(cause), { cause })
    }
  }
}

const textOf = (body: FetchBody): string | undefined => {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a request that is neither a form nor text')
}

const headersOf = (headers: NodeJS.Dict<string | string[]>): Headers => {
  const all = new Headers()
  for (const [name, values = []] of Object.entries(headers)) {
    for (const value of [values].flat()) all.append(name, value)
  }
  return all
}
