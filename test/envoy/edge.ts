// Envoy with a generated bootstrap between a scripted authz and an upstream: what these tests say
// holds whatever authz answers.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/configuration/parse.ts'
import type { Config } from '../../src/configuration/schema.ts'
import { formatAddress } from '../../src/config/values.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { refusalRate } from '../../src/envoy/refusal-log.ts'
import { isJsonObject, type JsonObject } from '../../src/runtime/json-object.ts'
import type { Target } from '../servers/client.ts'
import { startEnvoy, type Envoy } from '../servers/envoy.ts'
import { createPki, type Pki } from '../servers/pki.ts'
import { startScriptedAuthz, type ScriptedAuthz } from '../servers/scripted-authz.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startUpstream, type Upstream } from '../servers/upstream.ts'

/** A route of the configuration, as far as Envoy cares. */
export interface RouteParts {
  readonly kind?: 'http' | 'kubernetes'
  readonly name: string
  readonly match?: { readonly hosts?: readonly string[]; readonly paths?: readonly string[] }
  readonly upstream?: string
}

/** What differs between tests. */
export interface EdgeOptions {
  readonly routes?: readonly RouteParts[]
  /** More of the `envoy` section, or of its `listener`, or of the one upstream. */
  readonly envoy?: Readonly<Record<string, unknown>>
  readonly listener?: Readonly<Record<string, unknown>>
  readonly upstream?: Readonly<Record<string, unknown>>
  /** Envoy and authz speak mutual TLS over TCP. */
  readonly mutualTls?: boolean
  /** Further upstreams, by the name of their route. */
  readonly further?: (parts: Pick<Edge, 'pki' | 'upstream'>) => Readonly<Record<string, object>>
  /** Limits the lines of refusals as `countersign up` does. */
  readonly limited?: boolean
}

/** Everything that runs. */
export interface Edge extends AsyncDisposable {
  readonly pki: Pki
  readonly upstream: Upstream
  readonly authz: ScriptedAuthz
  readonly envoy: Envoy
  readonly target: Target
  /** The lines of refusals that Envoy has written, oldest first. */
  refusals(): Promise<readonly JsonObject[]>
}

/** The host of the only route unless a test has routes of its own. */
export const HOST = 'app.example.org'

/** A configuration with these parts; whatever Envoy does not care about is filled in. */
export const configOf = (folder: string, parts: Readonly<Record<string, unknown>>): Config => {
  const routes = [{ name: 'app', match: { hosts: [HOST] } }]
  const text = stringify({
    version: 1,
    listen: { authz: 'unix:authz.sock' },
    authenticators: { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } },
    routes,
    ...parts,
  })
  const result = parseConfig(join(folder, 'countersign.yaml'), text)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

/** Valid routes without restrictions. */
export const routesOf = (routes: readonly RouteParts[]): readonly object[] =>
  routes.map((route) => ({ authenticate: ['staff'], authorize: [{ allow: 'all' }], ...route }))

/** Starts it all. */
export const startEdge = async (options: EdgeOptions = {}): Promise<Edge> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const upstream = stack.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
  const authz = stack.use(await startAuthz(folder.file('authz.sock'), pki, options))
  const config = configOf(folder.path, {
    ...(options.mutualTls === true ? { listen: mutualTls(authz, pki) } : {}),
    routes: routesOf(options.routes ?? [{ name: 'app', match: { hosts: [HOST] } }]),
    envoy: {
      listener: {
        address: '127.0.0.1:0',
        ...pki.edge,
        clientCa: pki.ca,
        ...options.listener,
      },
      admin: 'unix:admin.sock',
      ...(options.mutualTls === true
        ? { authzTls: { ...pki.frontProxy, ca: pki.ca, serverName: 'localhost' } }
        : {}),
      upstreams: {
        app: {
          address: `127.0.0.1:${upstream.port}`,
          ca: pki.ca,
          ...pki.frontProxy,
          ...options.upstream,
        },
        ...options.further?.({ pki, upstream }),
      },
      accessLog: 'refusals.jsonl',
      ...options.envoy,
    },
  })
  const rateFile = options.limited === true ? folder.file('rate.json') : undefined
  if (rateFile !== undefined) await writeFile(rateFile, refusalRate())
  const envoy = stack.use(await startEnvoy({ bootstrap: renderBootstrap(config, { rateFile }) }))
  const target = { port: await envoy.port(), ca: pki.ca, serverName: HOST }
  const owned = stack.move()
  return {
    pki,
    upstream,
    authz,
    envoy,
    target,
    async refusals() {
      await envoy.admin('/reopen_logs', 'POST') // which writes what waits
      return await linesIn(folder.file('refusals.jsonl'))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const linesIn = async (file: string): Promise<readonly JsonObject[]> =>
  (await readFile(file, 'utf8')).split('\n').flatMap((line) => {
    const value: unknown = line === '' ? undefined : JSON.parse(line)
    return isJsonObject(value) ? [value] : []
  })

const startAuthz = async (
  socket: string,
  pki: Pki,
  options: EdgeOptions,
): Promise<ScriptedAuthz> => {
  if (options.mutualTls !== true) return await startScriptedAuthz({ kind: 'unix', path: socket })
  return await startScriptedAuthz(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      certificate: await readFile(pki.upstream.certificate),
      key: await readFile(pki.upstream.key),
      clientCa: await readFile(pki.ca),
    },
  )
}

const mutualTls = ({ address }: ScriptedAuthz, { upstream, ca }: Pki): object => ({
  authz: {
    address: formatAddress(address),
    tls: { certificate: upstream.certificate, key: `file:${upstream.key}`, clientCa: ca },
  },
})
