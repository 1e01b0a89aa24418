// A request of this process to its own token endpoint: sessions are a client like any other.

import type { Duplex } from 'node:stream'
import { httpFetcher } from '../../runtime/http/fetch.ts'

// Nobody else is asked for the answer but `state`.
const DEADLINE_MS = 5_000

const LARGEST = 1_048_576

/**
 * Sends a form and reads the JSON that comes back, whatever its status.
 *
 * @param connect opens a connection to our own listener
 * @throws Error when there is no answer, or none in JSON
 */
export const askSelf = async (
  connect: () => Duplex,
  path: string,
  form: URLSearchParams,
): Promise<unknown> => {
  const { fetch } = httpFetcher({ connect }) // it keeps no connections, so there is nothing to end
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const { body } = await fetch(
    new URL(path, 'http://localhost'),
    { method: 'POST', headers, body: form.toString(), maxBytes: LARGEST },
    AbortSignal.timeout(DEADLINE_MS),
  )
  const answer: unknown = JSON.parse(body.toString('utf8'))
  return answer
}
