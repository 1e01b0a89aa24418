// A server that judges tokens, on loopback over HTTPS: answers as well or as badly as a test wants, and
// records its requests.

import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import type { KeyPair } from './pki.ts'
import { listenOnLoopback } from './loopback.ts'

/** A request that it received. */
interface TokenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The parameters of a form. */
  readonly form: Readonly<Record<string, string>>
  /** The CN of the certificate that was presented. */
  readonly client: string | undefined
  /** The caller's port: another one for another connection. */
  readonly port: number | undefined
}

/** How it answers. */
export interface Answer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  /** Written as JSON, unless it is text. */
  readonly body?: unknown
  /** Sent only once this is settled. */
  readonly after?: Promise<unknown>
  /** In place of all of it. */
  readonly write?: (response: ServerResponse) => void
}

/** A running server. */
export interface TokenServerHandle extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string
  readonly port: number
  /** Every request that it received, oldest first. */
  readonly requests: readonly TokenRequest[]
  /** Answers every question from now on. */
  answer: (requests: TokenRequest) => Answer
  /** Ends it, and every connection. */
  stop(): Promise<void>
}

/** Starts a server; on a port that it had before, when one is given. */
export const startTokenServer = async (
  identity: KeyPair,
  answer: TokenServerHandle['answer'],
  { port = 0, clientCa }: { readonly port?: number; readonly clientCa?: string } = {},
): Promise<TokenServerHandle> => {
  const requests: TokenRequest[] = []
  const server = createServer(
    {
      cert: await readFile(identity.certificate),
      key: await readFile(identity.key),
      ...(clientCa === undefined
        ? {}
        : { ca: await readFile(clientCa), requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => void respond(request, response),
  )
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request)
    const { url: path = '', method = '', headers, socket } = request
    const form = Object.fromEntries(new URLSearchParams(body))
    const subject =
      socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.subject : undefined
    const question: TokenRequest = {
      method,
      path,
      headers,
      body,
      form,
      client: subject && /^CN=(.*)$/m.exec(subject)?.[1],
      port: socket.remotePort,
    }
    requests.push(question)
    const {
      status = 200,
      headers: more,
      body: answered = {},
      after,
      write,
    } = handle.answer(question)
    await after
    if (write !== undefined) {
      write(response)
      return
    }
    const written = typeof answered === 'string' ? answered : JSON.stringify(answered)
    response.writeHead(status, { 'content-type': 'application/json', ...more }).end(written)
  }
  const listening = await listenOnLoopback(server, port)
  const { stop } = listening
  const handle: TokenServerHandle = {
    origin: `https://127.0.0.1:${listening.port}`,
    port: listening.port,
    requests,
    answer,
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return handle
}
