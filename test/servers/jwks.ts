// An issuer's HTTPS server on loopback: discovery and keys, as well or as badly as a test wants.

import { readFile } from 'node:fs/promises'
import type { OutgoingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { KeyPair } from './pki.ts'
import { listenOnLoopback } from './loopback.ts'

/** How one path is answered. */
interface JwksAnswer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly body: string
  /** Sent only once this is settled. */
  readonly after?: Promise<unknown>
}

/** A running server. */
export interface JwksServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string
  /** Every path that was requested, oldest first. */
  readonly requests: readonly string[]
  /** Answers by path; what has none is answered with 404. */
  readonly answers: Map<string, JwksAnswer>
  /** Ends it, and every connection. */
  stop(): Promise<void>
}

/** Starts a server; on a port that it had before, when one is given. */
export const startJwksServer = async (identity: KeyPair, port = 0): Promise<JwksServer> => {
  const requests: string[] = []
  const answers = new Map<string, JwksAnswer>()
  const server = createServer(
    { cert: await readFile(identity.certificate), key: await readFile(identity.key) },
    (request, response) => {
      const path = request.url ?? ''
      requests.push(path)
      const { status = 200, headers = {}, body, after } = answers.get(path) ?? MISSING
      const answer = async (): Promise<void> => {
        await after
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
      }
      void answer()
    },
  )
  const listening = await listenOnLoopback(server, port)
  const { stop } = listening
  return {
    origin: `https://127.0.0.1:${listening.port}`,
    requests,
    answers,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const MISSING: JwksAnswer = { status: 404, body: '{}' }
