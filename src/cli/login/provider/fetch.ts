// How a provider is reached: by our own client, which is bounded in size and follows nothing, and never
// in the clear but on this machine.

import type { CustomFetch, FetchBody } from 'openid-client'
import { describeError } from '../../../runtime/errors.ts'
import type { HttpFetch } from '../../../runtime/http-fetch.ts'
import { isConfidential } from '../login-request.ts'

/** There was no answer, or none that can be used; another time there may be. */
export class ProviderUnreachable extends Error {}

/** Says how far the provider's clock is ahead of ours, by its latest answer, in milliseconds. */
export interface ObservedClock {
  ahead: number
}

// A key set, or a token with hundreds of groups, is far smaller.
const MAX_BYTES = 1_048_576
const LIMIT_MS = 20_000
// fetch.spec.whatwg.org: these have no body, and a Response refuses one.
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/** The requests of the library, by our client. */
export const providerFetch =
  (fetch: HttpFetch, clock: ObservedClock): CustomFetch =>
  async (target, { method, headers, body, signal }) => {
    const url = new URL(target)
    if (!isConfidential(url)) throw new Error(`${url.href} is not https: nothing is sent there`)
    const sent = textOf(body)
    const limit = AbortSignal.timeout(LIMIT_MS)
    try {
      const answer = await fetch(
        url,
        {
          method: method === 'POST' ? 'POST' : 'GET',
          headers,
          maxBytes: MAX_BYTES,
          ...(sent === undefined ? {} : { body: sent }),
        },
        signal === undefined ? limit : AbortSignal.any([signal, limit]),
      )
      const { status, body: content } = answer
      clock.ahead = aheadBy(answer.headers.date) ?? clock.ahead
      return new Response(WITHOUT_BODY.has(status) ? null : new Uint8Array(content), {
        status,
        headers: headersOf(answer.headers),
      })
    } catch (cause) {
      throw new ProviderUnreachable(describeError(cause), { cause })
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

/** RFC 9110 §6.6.1; to the second. */
const aheadBy = (date: string | undefined): number | undefined => {
  const at = Date.parse(date ?? '')
  return Number.isNaN(at) ? undefined : at - Date.now()
}
