// Headlamp with -proxy-auth, in front of one API server by the name of "main": the real one where
// COUNTERSIGN_HEADLAMP is the path of its program (headlamp-server), else one that is written here after
// its documentation ("Accessing using Identity-Aware Proxies") and its code (0.45.0, backend/cmd/headlamp.go,
// clusterRequestHandler).

import { writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { stringify } from 'yaml'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import type { KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'
import { ApiProxy, startWebServer, type ApiServerPlace, type WebServer } from './web-server.ts'

const PROGRAM = process.env['COUNTERSIGN_HEADLAMP']

const PAGES = process.env['COUNTERSIGN_HEADLAMP_PAGES']

/** For `skip` of node:test: the reason to skip tests of its pages, or `false` where it has them. */
export const skipWithoutHeadlampPages = (): string | false =>
  PROGRAM === undefined || PAGES === undefined
    ? 'COUNTERSIGN_HEADLAMP and COUNTERSIGN_HEADLAMP_PAGES name no Headlamp: see README.md'
    : false

/** Starts it. It serves every client that reaches it. */
export const startHeadlamp = async (identity: KeyPair, api: ApiServerPlace): Promise<WebServer> =>
  PROGRAM === undefined
    ? await startScripted(identity, api)
    : await startProgram(PROGRAM, identity, api)

const startProgram = async (
  command: string,
  identity: KeyPair,
  { url, ca }: ApiServerPlace,
): Promise<WebServer> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const kubeconfig = folder.file('kubeconfig')
  const anonymous = { cluster: 'main', user: 'anonymous' }
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'main', cluster: { server: url, 'certificate-authority': ca } }],
      users: [{ name: 'anonymous', user: {} }],
      contexts: [{ name: 'main', context: anonymous }],
      'current-context': 'main',
    }),
  )
  const port = await freePort()
  const daemon = stack.use(
    new Daemon({
      command,
      args: [
        '-proxy-auth',
        // On a loopback address it takes requests for "localhost" alone.
        '-listen-addr=0.0.0.0',
        `-port=${port}`,
        `-kubeconfig=${kubeconfig}`,
        `-plugins-dir=${folder.file('plugins')}`,
        `-user-plugins-dir=${folder.file('user-plugins')}`,
        `-tls-cert-path=${identity.certificate}`,
        `-tls-key-path=${identity.key}`,
        ...(PAGES === undefined ? [] : [`-html-static-dir=${PAGES}`]),
      ],
      probe: async () => await answers(port),
    }),
  )
  await daemon.start()
  const owned = stack.move()
  return { port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const answers = async (port: number): Promise<void> => {
  // fetch does not know its certificate; a refused handshake shows that it listens.
  const cause: unknown = await fetch(`https://127.0.0.1:${port}/config`).catch(causeOf)
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED') throw cause
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : error)

const startScripted = async (identity: KeyPair, api: ApiServerPlace): Promise<WebServer> => {
  const proxy = await ApiProxy.to(api)
  return await startWebServer(identity, {
    request(request, response) {
      const path = pathAt(request)
      if (path === undefined) {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Headlamp</title>')
      } else if (path === '/me') {
        const { status, body } = identityReceived(request.headers)
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      } else proxy.request(path, request, onwards(request.headers), response)
    },
    upgrade(request, socket) {
      const path = pathAt(request)
      if (path === undefined) socket.destroy()
      else proxy.upgrade(path, request, onwards(request.headers), socket)
    },
  })
}

/** The path at the API server. */
const pathAt = ({ url = '' }: IncomingMessage): string | undefined =>
  /^\/clusters\/main(\/.*)$/.exec(url)?.[1]

const textOf = (value: string | readonly string[] | undefined): string =>
  typeof value === 'string' ? value.trim() : ''

const identityReceived = (headers: IncomingHttpHeaders) => {
  const username = textOf(headers['x-forwarded-user'])
  if (username === '') return { status: 401, body: { message: 'unauthorized' } }
  const groups = textOf(headers['x-forwarded-group'])
  const email = textOf(headers['x-forwarded-email'])
  const list = groups === '' ? [] : groups.split(',').map((group) => group.trim())
  return { status: 200, body: { username, email, groups: list } }
}

/** The token of the proxy, else that of a cookie of its own, else whatever came. */
const onwards = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const cookie = /headlamp-auth-main\.0=([^;]*)/.exec(headers.cookie ?? '')?.[1]
  const { 'x-forwarded-id-token': idToken, ...others } = headers
  const token = textOf(idToken) || cookie
  return token === undefined ? others : { ...others, authorization: `Bearer ${token}` }
}
