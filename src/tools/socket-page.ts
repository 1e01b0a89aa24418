// Reads a page of an administration interface on a UNIX socket.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Page } from '../runtime/http/server.ts'

const TIMEOUT_MS = 10_000

// Envoy with some hundreds of clusters has some megabytes.
const MAX_BYTES = 33_554_432

/**
 * Reads it with GET.
 *
 * @throws Error when there is no answer with status 200 in time, or it is too long
 */
export const readSocketPage = async (
  socketPath: string,
  path: string,
  accept = '',
): Promise<Page> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const headers = { accept, host: 'localhost' }
  httpRequest({ socketPath, path, method: 'GET', headers, signal, agent: false }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a response without bytes')
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`the page is longer than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  const { statusCode = 0 } = response
  if (statusCode !== 200) throw new Error(`${socketPath} answered ${statusCode}, where 200 belongs`)
  const type = response.headers['content-type'] ?? 'text/plain; version=0.0.4; charset=utf-8'
  return { status: 200, type, body: Buffer.concat(chunks).toString('utf8') }
}
