// Upstreams as they are: HTTP on this machine, UNIX sockets, several addresses of which one does not answer.

import assert from 'node:assert/strict'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { ALICE, configuration, HOST } from '../site.ts'
import { startUp, writeSiteOf, type Up } from '../up/running.ts'

interface Application extends AsyncDisposable {
  readonly port: number
  /** The paths of the requests that it has received. */
  readonly paths: readonly string[]
}

/** An application without TLS, which answers with the user that it sees; `healthy` is its status at `/healthz`. */
const startApplication = async (listen: ListenOptions, healthy = 200): Promise<Application> => {
  const paths: string[] = []
  const server = createServer((incoming, response) => {
    const { url = '' } = incoming
    paths.push(url)
    if (url === '/healthz') response.statusCode = healthy
    response.end(String(incoming.headers['x-remote-user']))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(listen, resolve)
  await promise
  const bound: AddressInfo | string | null = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Starts `up` with these keys of its one upstream and of its listener. */
const upWith = (upstream: object, listener: object = {}): Promise<Up> =>
  startUp(() =>
    writeSiteOf(async ({ pki }) => {
      const { envoy, ...rest } = configuration(pki, 1, { listener: { ...listener } })
      return { ...rest, envoy: { ...z.looseObject({}).parse(envoy), upstreams: { api: upstream } } }
    }),
  )

const served = async ({ target }: Up): Promise<string> => {
  const { status, body } = await http1(target, { headers: [ALICE] })
  return `${status} ${body}`
}

describe('countersign up with upstreams as they are', { skip: skipWithoutEnvoy() }, () => {
  it('forwards over HTTP to an address of this machine', async () => {
    await using application = await startApplication({ host: '127.0.0.1', port: 0 })
    await using up = await upWith({ address: `127.0.0.1:${application.port}` })
    assert.equal(await served(up), '200 alice')
  })

  it('forwards over HTTP to a UNIX socket', async () => {
    await using folder = await temporaryFolder()
    await using _ = await startApplication({ path: folder.file('app.sock') })
    await using up = await upWith({ address: `unix:${folder.file('app.sock')}` })
    assert.equal(await served(up), '200 alice')
  })

  it('sends no request to an address that fails its health checks', async () => {
    const here = { host: '127.0.0.1', port: 0 }
    await using application = await startApplication(here)
    await using failing = await startApplication(here, 500)
    await using up = await upWith({
      address: [failing, application].map(({ port }) => `127.0.0.1:${port}`),
      healthCheck: { path: '/healthz', interval: '100ms', timeout: '5s' },
    })
    for (let count = 0; count < 8; count += 1) assert.equal(await served(up), '200 alice')
    assert.deepEqual([...new Set(failing.paths)], ['/healthz'])
    assert.ok(application.paths.includes('/healthz'))
  })

  it('redirects from HTTP to HTTPS for the hosts of the routes alone', async () => {
    await using application = await startApplication({ host: '127.0.0.1', port: 0 })
    const port = await freePort()
    const redirect = { address: `127.0.0.1:${port}`, port: 443 }
    await using _ = await upWith({ address: `127.0.0.1:${application.port}` }, { redirect })
    const answer = await plainGet(port, `${HOST}:${port}`, '/a%20b?c=d')
    assert.equal(answer.statusCode, 308)
    assert.equal(answer.headers.location, `https://${HOST}:443/a%20b?c=d`)
    assert.equal((await plainGet(port, 'other.example.org', '/')).statusCode, 404)
  })
})

const plainGet = async (port: number, host: string, path: string): Promise<IncomingMessage> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  response.resume()
  return response
}
