// Requests of clients that prove nothing, as many as a test wants, as fast as they are answered.

import { Agent, request } from 'node:http'

const CONNECTIONS = 20

/** One request, without a body where it has no form. */
export interface Sent {
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** What a client does that has proven nothing: where it is sent, and the status. */
export interface Answered {
  readonly status: number
  readonly location: string
}

/**
 * Sends requests over some connections at once, and checks each answer.
 *
 * @param next the request of each number, from 0
 */
export const flood = async (
  port: number,
  count: number,
  next: (number: number) => Sent,
  check: (answer: Answered) => void,
): Promise<void> => {
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: CONNECTIONS }), {
    [Symbol.dispose]: () => agent.destroy(),
  })
  let sent = 0
  const sending = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      check(await send(agent, port, next(sent - 1)))
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, sending))
}

const send = async (agent: Agent, port: number, { path, headers, form }: Sent) => {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const body = form && new URLSearchParams(form).toString()
  const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
  const method = body === undefined ? 'GET' : 'POST'
  const options = { agent, host: '127.0.0.1', port, path, method, maxHeaderSize: 65_536 }
  request({ ...options, headers: { accept: 'text/html', ...type, ...headers } }, (response) => {
    const { location = '' } = response.headers
    response
      .resume()
      .on('error', reject)
      .on('end', () => resolve({ status: response.statusCode ?? 0, location }))
  })
    .on('error', reject)
    .end(body)
  return await promise
}
