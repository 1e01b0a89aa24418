// What Grafana does behind a proxy that authenticates: written here after its documentation ("Configure
// auth proxy authentication", with headers_encoded and without enable_login_token), since its program is
// not available. It trusts every client that reaches it.

import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { KeyPair } from './pki.ts'
import { startWebServer, type WebServer } from './web-server.ts'

/** A running one. */
export interface Grafana extends WebServer {
  /** The headers of every request, upgrades too, oldest first. */
  readonly received: readonly IncomingHttpHeaders[]
}

/** Starts it. */
export const startGrafana = async (identity: KeyPair): Promise<Grafana> => {
  const received: IncomingHttpHeaders[] = []
  const server = await startWebServer(identity, {
    request({ url, headers }, response) {
      received.push(headers)
      const user = userOf(headers)
      if (url !== '/api/user') {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Grafana</title>')
      } else if (user === undefined) {
        response
          .writeHead(401, { 'content-type': 'application/json' })
          .end('{"message":"Unauthorized"}')
      } else {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(user))
      }
    },
    upgrade(request, socket) {
      const { url, headers } = request
      received.push(headers)
      const user = userOf(headers)
      if (url !== '/api/live/ws' || user === undefined) {
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
        return
      }
      // RFC 6455 §4.2.2.
      const accepted = createHash('sha1')
        .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accepted}\r\n\r\n`,
      )
      socket.write(textFrame(JSON.stringify({ connect: { client: user.login } })))
    },
  })
  return { ...server, received }
}

/** RFC 6455 §5.2: one frame, short enough for one byte of length. */
const textFrame = (content: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, Buffer.byteLength(content)]), Buffer.from(content)])

/** The user, as `GET /api/user` reports it; with the groups, which Grafana shows elsewhere. */
const userOf = (headers: IncomingHttpHeaders) => {
  const login = decoded(headers['x-webauth-user'])
  if (login === undefined) return undefined
  const groups: unknown = JSON.parse(decoded(headers['x-webauth-groups']) ?? '[]')
  return { login, orgRole: decoded(headers['x-webauth-role']) ?? 'Viewer', groups }
}

/** Quoted-printable (RFC 2045 §6.7), of UTF-8. */
const decoded = (value: string | readonly string[] | undefined): string | undefined => {
  if (typeof value !== 'string' || value === '') return undefined
  const bytes = value.replaceAll(/=([0-9A-F]{2})/g, (_all, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
