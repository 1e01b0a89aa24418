// A plain HTTP server on loopback that answers as a test wants: what publishes CRLs and answers OCSP
// usually is one.

import { createServer, type OutgoingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listenOnLoopback } from './loopback.ts'

/** A request that it received. */
export interface ScriptedRequest {
  readonly method: string
  readonly path: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

/** What is answered. */
interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Buffer
}

/** Answers, when it likes. */
export type Script = (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>

/** A running server. */
export interface ScriptedHttp extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  /** Every request so far, oldest first. */
  readonly requests: readonly ScriptedRequest[]
  /** How requests are answered from now on. */
  script: Script
  /** Ends it, and every connection. */
  stop(): Promise<void>
}

/** Starts a server; on a port that it had before, when one is given. */
export const startScriptedHttp = async (script: Script, port = 0): Promise<ScriptedHttp> => {
  const requests: ScriptedRequest[] = []
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = '', url: path = '', headers } = request
      const received = { method, path, headers, body: await buffer(request) }
      requests.push(received)
      const { status = 200, headers: answered = {}, body } = await running.script(received)
      response.writeHead(status, answered).end(body)
    }
    answer().catch(() => response.destroy())
  })
  const listening = await listenOnLoopback(server, port)
  const { stop } = listening
  const running = {
    origin: `http://127.0.0.1:${listening.port}`,
    requests,
    script,
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return running
}
