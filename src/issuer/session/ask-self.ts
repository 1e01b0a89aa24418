// A question to our own listener: what others get from it, we get in the same way.

import { formatAddress } from '../../config/values.ts'
import { httpFetcher } from '../../runtime/http-fetch.ts'
import type { ListenAddress } from '../../runtime/listen.ts'

// Nobody else is asked for the answer but `state`.
const DEADLINE_MS = 5_000

const LARGEST = 1_048_576

/**
 * Sends a form; the JSON that comes back, whatever its status.
 *
 * @throws Error when there is no answer, or none in JSON
 */
export const askSelf = async (
  address: ListenAddress,
  path: string,
  form: URLSearchParams,
): Promise<unknown> => {
  const socket = address.kind === 'unix' ? { socketPath: address.path } : {}
  const host = address.kind === 'unix' ? 'localhost' : formatAddress(address)
  const { fetch } = httpFetcher(socket) // it keeps no connections, so there is nothing to end
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const { body } = await fetch(
    new URL(path, `http://${host}`),
    { method: 'POST', headers, body: form.toString(), maxBytes: LARGEST },
    AbortSignal.timeout(DEADLINE_MS),
  )
  const answer: unknown = JSON.parse(body.toString('utf8'))
  return answer
}
