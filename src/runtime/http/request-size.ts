// How large the head of an HTTP request may be, beyond what the parser of Node.js sees to.

import type { IncomingMessage } from 'node:http'

/** The most that a request may have. */
export interface RequestSize {
  /** Bytes of the request target. */
  readonly targetBytes: number
  /** Lines of header fields. */
  readonly headerLines: number
  /** Parameters of the query. */
  readonly parameters: number
}

/** An answer to what is larger. */
interface Refusal {
  readonly status: 400 | 414 | 431
  readonly text: string
}

/** The answer to a request that is too large; `undefined` for any other. */
export const tooLarge = (
  { url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>,
  { targetBytes, headerLines, parameters }: RequestSize,
): Refusal | undefined => {
  if (url.length > targetBytes) {
    return { status: 414, text: 'The address of the request is too long.' }
  }
  // Names and values in turn.
  if (rawHeaders.length > 2 * headerLines) {
    return { status: 431, text: 'The request has too many header fields.' }
  }
  return url.split('&', parameters + 1).length > parameters
    ? { status: 400, text: 'The query of the request has too many parameters.' }
    : undefined
}
