// The API of the Kubernetes Dashboard, with no account of its own: the real one where
// COUNTERSIGN_KUBERNETES_DASHBOARD is the path of its program (modules/api), else one that is written here after its
// documentation ("Access control": the Authorization header) and its code (7.x, modules/common/client).

import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { Daemon } from './daemon.ts'
import { freePort } from './ports.ts'
import type { KeyPair } from './pki.ts'
import { startWebServer, type ApiServerPlace, type WebServer } from './web-server.ts'

const PROGRAM = process.env['COUNTERSIGN_KUBERNETES_DASHBOARD']

/** Starts it. It serves every client that reaches it. */
export const startKubernetesDashboard = async (
  identity: KeyPair,
  api: ApiServerPlace,
): Promise<WebServer> =>
  PROGRAM === undefined
    ? await startScripted(identity, api)
    : await startProgram(PROGRAM, identity, api)

const startProgram = async (
  command: string,
  { certificate, key }: KeyPair,
  { url, ca }: ApiServerPlace,
): Promise<WebServer> => {
  const port = await freePort()
  const daemon = new Daemon({
    command,
    args: [
      '--act-as-proxy',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--default-cert-dir=/',
      `--tls-cert-file=${certificate}`,
      `--tls-key-file=${key}`,
      `--apiserver-host=${url}`,
      `--apiserver-ca-bundle=${ca}`,
    ],
    probe: async () => {
      const error: unknown = await fetch(`https://127.0.0.1:${port}/`).catch(causeOf)
      if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') throw error
    },
  })
  await daemon.start()
  return { port, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() }
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : error)

const startScripted = async (
  identity: KeyPair,
  { url, ca }: ApiServerPlace,
): Promise<WebServer> => {
  const trusted = await readFile(ca)
  const answer = async (headers: IncomingHttpHeaders, response: ServerResponse): Promise<void> => {
    const { status, body } = await namespacesFor(headers.authorization, url, trusted)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  return await startWebServer(identity, {
    request({ url: path, headers }, response) {
      if (path === '/api/v1/namespace') {
        answer(headers, response).catch(() => response.destroy())
      } else {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Dashboard</title>')
      }
    },
  })
}

const listSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
})

const refusalSchema = z.object({ reason: z.string() })

/** What it says of the list, in its own words. */
const namespacesFor = async (authorization: string | undefined, url: string, ca: Buffer) => {
  if (authorization?.startsWith('Bearer ') !== true)
    return { status: 401, body: 'MSG_LOGIN_UNAUTHORIZED_ERROR' }
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  httpsRequest(new URL('/api/v1/namespaces', url), { ca, agent: false, headers: { authorization } })
    .on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    .on('error', reject)
    .end()
  const { status, body } = await promise
  if (status === 401) return { status, body }
  if (status !== 200) {
    const { reason } = refusalSchema.parse(JSON.parse(body))
    const details = { name: `MSG_${reason.toUpperCase()}_ERROR` }
    const errors = [{ ErrStatus: { status: 'Failure', reason, details, code: status } }]
    return { status: 200, body: { namespaces: [], errors } }
  }
  const namespaces = listSchema
    .parse(JSON.parse(body))
    .items.map(({ metadata: { name } }) => ({ objectMeta: { name } }))
  return { status, body: { namespaces, errors: [] } }
}
