// The body of a form (HTML, "application/x-www-form-urlencoded"), read to a limit.

import type { IncomingMessage } from 'node:http'

const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i

// As many bytes as any form of ours can have, with room.
const LARGEST = 32_768

/**
 * The fields; `undefined` for what is no form, is too large, or breaks off. Where that is, the
 * connection is not to be used again.
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
