// The upstream of docker-compose.yml: requires a client certificate of a CA that it trusts, and
// answers with the request that it got.

import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import { TLSSocket } from 'node:tls'

/** What the upstream answers with. */
export interface Received {
  readonly request: string
  /** Header lines as they came, with lower-cased names. */
  readonly headers: readonly string[]
  /** The port at the other end: tells connections apart. */
  readonly connection: number
  /** The certificate that Envoy presented. */
  readonly certificate: {
    readonly subject: string
    readonly issuer: string
    readonly serialNumber: string
    /** SHA-256. */
    readonly fingerprint: string
    readonly subjectAltName: string | null
    readonly notBefore: string
    readonly notAfter: string
  }
}

/** A TLS server that is yet to listen, with the PEM files in the folder. */
export const createUpstream = (folder: string): Server =>
  createServer(
    {
      cert: readFileSync(`${folder}/upstream.pem`),
      key: readFileSync(`${folder}/upstream.key`),
      ca: readFileSync(`${folder}/client-ca.pem`),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (request, response) => {
      request.resume()
      response.setHeader('content-type', 'application/json')
      response.end(`${JSON.stringify(describe(request), undefined, 2)}\n`)
    },
  )

const describe = ({ method, url, rawHeaders, socket }: IncomingMessage): Received => {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) throw new Error('a request without a certificate got through')
  return {
    request: `${method} ${url}`,
    headers: rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`] : [],
    ),
    connection: socket.remotePort ?? 0,
    certificate: {
      subject: onOneLine(certificate.subject),
      issuer: onOneLine(certificate.issuer),
      serialNumber: certificate.serialNumber,
      fingerprint: certificate.fingerprint256,
      subjectAltName: certificate.subjectAltName ?? null,
      notBefore: certificate.validFromDate.toISOString(),
      notAfter: certificate.validToDate.toISOString(),
    },
  }
}

// Node puts each attribute of a name on a line of its own.
const onOneLine = (name: string): string => name.split('\n').join(', ')

const PORT = 6443

if (import.meta.main) {
  const server = createUpstream('/var/lib/countersign/upstream')
  server.listen(PORT, () => console.log(`listening on ${PORT}`))
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}
