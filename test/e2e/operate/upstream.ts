// An upstream whose certificate and trusted CAs can be replaced while it runs. It answers with what it received.

import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { TLSSocket } from 'node:tls'
import * as z from 'zod'

/** What the upstream received. */
export const receivedSchema = z.object({
  /** The name in the client certificate. */
  subject: z.string(),
  issuer: z.string(),
  user: z.string(),
  token: z.string(),
})

/** What the upstream received. */
export type Received = z.infer<typeof receivedSchema>

/** PEM files. */
export interface UpstreamTls {
  readonly certificate: string
  readonly key: string
  /** The CAs of clients. */
  readonly clientCas: readonly string[]
}

/** A running upstream. */
export interface ReplaceableUpstream extends AsyncDisposable {
  readonly port: number
  /** Reads these files for the connections that follow. */
  present(tls: UpstreamTls): Promise<void>
}

const contextOf = async ({ certificate, key, clientCas }: UpstreamTls) => ({
  cert: await readFile(certificate),
  key: await readFile(key),
  ca: await Promise.all(clientCas.map((file) => readFile(file))),
})

/** Starts it; every client has to present a certificate. */
export const startReplaceableUpstream = async (tls: UpstreamTls): Promise<ReplaceableUpstream> => {
  const options = { ...(await contextOf(tls)), requestCert: true, rejectUnauthorized: true }
  const server = createServer({ ...options, keepAliveTimeout: 0 }, (request, response) => {
    const { socket, headers } = request
    const { subject, issuer } = socket instanceof TLSSocket ? socket.getPeerCertificate() : {}
    const received: Received = {
      subject: String(subject?.CN),
      issuer: String(issuer?.CN),
      user: String(headers['x-remote-user']),
      token: String(headers.authorization).replace(/^Bearer /, ''),
    }
    response.end(JSON.stringify(received))
  })
  const port = await listening(server)
  return {
    port,
    present: async (next) => server.setSecureContext(await contextOf(next)),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
