// One question to a token endpoint, and how long its answer is used.

import type { ClientAuthentication } from '../../clients/token-endpoint/client-authentication.ts'
import type { Endpoint } from '../../clients/token-endpoint/endpoint.ts'
import type { OAuthAnswer, TokenServer } from '../../clients/token-endpoint/server.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Asker } from '../../runtime/shared-server.ts'
import { readTokenAnswer, type TokenExpectation } from './token-answer.ts'
import type { HeldToken } from './token-cache.ts'

/** The token endpoint, and the client authentication there. */
export interface TokenSource {
  /** For messages. */
  readonly name: string
  readonly endpoint: Endpoint
  readonly client: ClientAuthentication
  readonly server: TokenServer
}

/** The parameters of a form, in their order; a name may be repeated. */
export type FormParameters = readonly (readonly [name: string, value: string])[]

/** The requested token. */
export interface TokenRequest {
  /** The caller; absent for a token of authz itself. */
  readonly asker?: Asker
  /** Made within the time limit of the question. */
  readonly parameters: () => Promise<FormParameters>
  readonly expectation: TokenExpectation
  /** How long the token is used at most, in milliseconds. */
  readonly remember: number
}

/** A token, or the server's no. */
export type RequestedToken =
  | { readonly outcome: 'token'; readonly held: HeldToken }
  | Extract<OAuthAnswer, { outcome: 'refused' }>

const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  accept: 'application/json',
} as const

/**
 * Requests a token.
 *
 * @throws Error with a message for operators when there is no answer, or a malformed one
 */
export const requestToken = async (
  { name, endpoint, client, server }: TokenSource,
  { asker, parameters, expectation, remember }: TokenRequest,
  clock: Clock,
): Promise<RequestedToken> => {
  const asked = clock.now()
  const answer = await server.askFor(asker, async (signal) => {
    const url = await endpoint(signal)
    const { headers, form } = client(url)
    const body = new URLSearchParams()
    for (const [key, value] of [...(await parameters()), ...Object.entries(form)]) {
      body.append(key, value)
    }
    return { url, headers: { ...FORM, ...headers }, body: body.toString() }
  })
  if (answer.outcome === 'refused') return answer
  const reading = readTokenAnswer(answer.document, expectation, asked)
  if (reading.outcome === 'malformed') {
    throw new Error(`${name} answered nonsense: ${reading.what}`)
  }
  const { token, id, expires } = reading
  const end = expires === undefined ? Number.POSITIVE_INFINITY : expires - marginOf(expires - asked)
  return {
    outcome: 'token',
    held: { token, id, expires, until: Math.min(asked + remember, end) },
  }
}

// Requests take their time, and clocks differ. Of a token that lives for a minute only a fifth.
const MARGIN_MS = 30_000
const MARGIN_SHARE = 1 / 5

/** How long before its end another is got, in milliseconds. */
export const marginOf = (life: number): number => Math.min(MARGIN_MS, life * MARGIN_SHARE)

/** `scope`, where any is requested (RFC 6749 §3.3). */
export const scopeOf = (scopes: readonly string[]): FormParameters =>
  scopes.length === 0 ? [] : [['scope', scopes.join(' ')]]

/** A parameter for each of the values (RFC 8693 §2.1). */
export const repeated = (name: string, values: readonly string[]): FormParameters =>
  values.map((value) => [name, value])
