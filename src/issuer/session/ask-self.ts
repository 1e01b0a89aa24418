// A question to our own listener: what others get from it, we get in the same way.

import { request as httpRequest, type RequestOptions } from 'node:http'
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
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const body = form.toString()
  const place: RequestOptions =
    address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: address.host, port: address.port }
  const request = httpRequest({
    ...place,
    method: 'POST',
    path,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    },
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
  request.on('error', reject)
  request.on('response', (response) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('error', reject)
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > LARGEST) response.destroy(new Error('an answer without end'))
    })
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
  request.end(body)
  const answer: unknown = JSON.parse(await promise)
  return answer
}
