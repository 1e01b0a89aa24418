// The session client at the token endpoint: a request of this process to its own listener, in memory and without a socket.
//
// The library has no function that redeems a code. Client authentication, PKCE, single use with revocation of the grant,
// the DPoP and resource rules, and the audit event before any token leaves are steps of its request handling. A second
// implementation of these checks on its models would have to follow each of its releases.

import type { Duplex } from 'node:stream'
import { httpFetcher } from '../../runtime/http/fetch.ts'
import { ENDPOINTS } from '../http/paths.ts'
import { ownTraceparent } from '../../runtime/tracing/span.ts'
import { parseJson } from '../../runtime/strict-json.ts'

// The token endpoint waits for `state` alone.
const DEADLINE_MS = 5_000

const LARGEST = 1_048_576

/**
 * Posts a form to the token endpoint, and returns the JSON of its response, whatever the status.
 *
 * @throws Error without a response, or without JSON in it
 */
export type TokenClient = (form: URLSearchParams) => Promise<unknown>

/** @param connect opens a connection to the listener, in memory */
export const loopbackTokenClient =
  (connect: () => Duplex): TokenClient =>
  async (form) => {
    const { fetch } = httpFetcher({ connect }) // it keeps no connections, so there is nothing to close
    const headers = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      traceparent: ownTraceparent(),
    }
    const { body } = await fetch(
      new URL(ENDPOINTS.token, 'http://localhost'),
      { method: 'POST', headers, body: form.toString(), maxBytes: LARGEST },
      AbortSignal.timeout(DEADLINE_MS),
    )
    const answer: unknown = parseJson(body.toString('utf8'))
    return answer
  }
