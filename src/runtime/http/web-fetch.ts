// The HTTP client as `fetch`, for libraries that need one: bounded in size and time, only
// to allowed addresses, and without redirects.

import { describeError } from '../errors.ts'
import { readJsonObject } from '../strict-json.ts'
import type { HttpFetch, HttpResponse } from './fetch.ts'

/** There was no answer, or none that can be used; another time there may be. */
export class ProviderUnreachable extends Error {}

/** The request of a library; a body is a form or text. */
export interface WebRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link webFetch}. */
export interface WebFetchOptions {
  readonly fetch: HttpFetch
  /** Whether requests to the URL are confidential. */
  readonly isConfidential: (url: URL) => boolean
  /** For each answer, in milliseconds. */
  readonly limit: number
  /** Called for each answer. */
  readonly onAnswer?: (answer: HttpResponse) => void
}

// A key set, or a token with hundreds of groups, is far smaller.
const MAX_BYTES = 1_048_576
// fetch.spec.whatwg.org: these have no body, and a Response refuses one.
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes such a `fetch`. It rejects with {@link ProviderUnreachable} when there is no answer, and with other
 * errors for what is never sent.
 */
export const webFetch =
  ({ fetch, isConfidential, limit, onAnswer }: WebFetchOptions) =>
  async (target: string, { method, headers, body, signal }: WebRequest): Promise<Response> => {
    const url = new URL(target)
    if (!isConfidential(url)) throw new Error(`${url.href} is not https: nothing is sent there`)
    const sent = textOf(body)
    const request = {
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      maxBytes: MAX_BYTES,
      ...(sent === undefined ? {} : { body: sent }),
    } as const
    const ended = AbortSignal.timeout(limit)
    try {
      const answer = await fetch(
        url,
        request,
        signal === undefined ? ended : AbortSignal.any([signal, ended]),
      )
      onAnswer?.(answer)
      const { status, body: content } = answer
      return withStrictJson(
        new Response(WITHOUT_BODY.has(status) ? null : new Uint8Array(content), {
          status,
          headers: headersOf(answer.headers),
        }),
      )
    } catch (cause) {
      throw new ProviderUnreachable(describeError(cause), { cause })
    }
  }

/** A response whose JSON has one reading: libraries take identities and keys from it. */
const withStrictJson = (response: Response): Response =>
  Object.assign(response, {
    json: async () => {
      const object = readJsonObject(new Uint8Array(await response.arrayBuffer()))
      if (object === undefined) throw new SyntaxError('no JSON object with one reading')
      return object
    },
  })

const textOf = (body: unknown): string | undefined => {
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
