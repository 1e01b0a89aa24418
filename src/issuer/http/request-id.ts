// By what an operator finds a request of a browser: Envoy's id, which its access log has too.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const ids = new WeakMap<IncomingMessage, string>()

// What Envoy makes is a UUID; what else comes is not repeated.
const ID = /^[\w-]{8,64}$/

/** `x-request-id`, or a random id for the life of the request. */
export const requestIdOf = (request: IncomingMessage): string => {
  const given = request.headers['x-request-id']
  if (typeof given === 'string' && ID.test(given)) return given
  const id = ids.get(request) ?? randomUUID()
  ids.set(request, id)
  return id
}
