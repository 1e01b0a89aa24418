// The body of a form (HTML, "application/x-www-form-urlencoded"), read to a limit.

import type { IncomingMessage } from 'node:http'

const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i

// More bytes than any form of the issuer's pages has.
const LARGEST = 32_768

/**
 * The fields; `undefined` for another media type, a body that is too large, and one that breaks off. The connection must
 * then not be reused.
 */
export const readForm = async (request: IncomingMessage): Promise<URLSearchParams | undefined> => {
  if (!FORM.test(request.headers['content-type'] ?? '')) return undefined
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request) {
      const bytes: Buffer = chunk
      length += bytes.length
      if (length > LARGEST) return undefined
      chunks.push(bytes)
    }
  } catch {
    return undefined
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
