// An upstream that accepts any client certificate of its CAs, and reports which one was presented.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer } from 'node:https'
import type { Writable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { KeyPair } from './pki.ts'

/** A request as the upstream saw it. */
export interface SeenRequest {
  readonly url: string
  /** Header lines as they came: name, value, name, value … */
  readonly rawHeaders: readonly string[]
  /** The client certificate, DER in base64. */
  readonly certificate: string
  /** Its readable subject: `CN=alice, O=dev`, in the order of the certificate. */
  readonly subject: string
  readonly issuer: string
  readonly alternativeNames: string
  readonly serialNumber: string
  readonly validTo: string
  /** The port at the other end: tells connections apart. */
  readonly connection: number
}

/** A running upstream. */
export interface CertificateUpstream extends AsyncDisposable {
  readonly port: number
  /** Every request, oldest first. */
  readonly requests: readonly SeenRequest[]
  clear(): void
}

/** What {@link startCertificateUpstream} needs. */
export interface CertificateUpstreamOptions {
  readonly identity: KeyPair
  /** PEM: the CAs of client certificates. */
  readonly clientCas: string
  readonly protocol?: 'http1' | 'http2'
  /** Default: one that the system chooses. */
  readonly port?: number
}

/**
 * Starts a TLS server for one version of HTTP.
 *
 * - `/slow?count=N` sends N numbered lines, one each 100 ms;
 * - everything else is answered with 200 and a {@link SeenRequest} as JSON.
 */
export const startCertificateUpstream = async (
  options: CertificateUpstreamOptions,
): Promise<CertificateUpstream> => {
  const { identity, clientCas, protocol = 'http1', port = 0 } = options
  const requests: SeenRequest[] = []
  const sockets = new Set<TLSSocket>()
  const tls = {
    cert: await readFile(identity.certificate),
    key: await readFile(identity.key),
    ca: clientCas,
    requestCert: true,
    rejectUnauthorized: true,
  }
  const answer = (request: AnyRequest, response: AnyResponse): void => {
    const seen = describe(request)
    requests.push(seen)
    const url = new URL(seen.url, 'https://upstream')
    if (url.pathname === '/slow') trickle(response, Number(url.searchParams.get('count')))
    else response.end(JSON.stringify(seen))
  }
  const server =
    protocol === 'http1'
      ? createServer({ ...tls, ALPNProtocols: ['http/1.1'], keepAliveTimeout: 0 }, answer)
      : createSecureServer(tls, answer)
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    requests,
    clear: () => {
      requests.length = 0
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

type AnyRequest = IncomingMessage | Http2ServerRequest
type AnyResponse = ServerResponse | Http2ServerResponse

const describe = (request: AnyRequest): SeenRequest => {
  const { socket } = request
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return {
    url: request.url ?? '',
    rawHeaders: request.rawHeaders,
    certificate: certificate?.raw.toString('base64') ?? '',
    subject: onOneLine(certificate?.subject),
    issuer: onOneLine(certificate?.issuer),
    alternativeNames: certificate?.subjectAltName ?? '',
    serialNumber: certificate?.serialNumber ?? '',
    validTo: certificate?.validTo ?? '',
    connection: socket.remotePort ?? 0,
  }
}

// Node has a line for each attribute, escaped as RFC 2253 has it.
const onOneLine = (name = ''): string => name.split('\n').join(', ')

const trickle = (response: Writable, count: number): void => {
  let sent = 0
  const timer = setInterval(() => {
    sent += 1
    response.write(`${sent}\n`)
    if (sent >= count) response.end()
  }, 100)
  response.once('close', () => clearInterval(timer))
}

/** The certificate that came with a request. */
export const certificateOf = ({ certificate }: SeenRequest): X509Certificate =>
  new X509Certificate(Buffer.from(certificate, 'base64'))
