// Servers of other projects that do the same: a token verified, secrets refused, user and groups in headers.

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stringify } from 'yaml'
import { freePort } from '../../test/servers/ports.ts'
import { AUDIENCE, ISSUER } from '../credentials/tokens.ts'
import type { Expectation } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { GROUPS } from '../site.ts'
import { buildModule } from './go-program.ts'
import { startProgram, type CheckServer, type StartServer } from './server.ts'

/** As the tables name them. */
const PEER_NAMES = { heimdall: 'heimdall', opa: 'OPA-Envoy' } as const

/** Both read `headers` of a check, not `header_map`, and set headers. */
const READS_HEADERS = {
  verifies: true,
  rawHeaders: false,
  expectationOf: (user: string) => ({
    outcome: 'allow' as const,
    user,
    groups: GROUPS,
    groupsIn: 'headers' as const,
  }),
} as const satisfies Partial<CheckServer>

/** https://github.com/open-policy-agent/opa-envoy-plugin */
export const opaEnvoy: StartServer = async (installation, { keySet }) => {
  const name = PEER_NAMES.opa
  const program = await buildModule({
    program: 'opa-envoy-plugin',
    path: 'github.com/open-policy-agent/opa-envoy-plugin/cmd/opa-envoy-plugin',
    version: '07a1fd15b3f5b9e9259bd2db9d6658cf6e3e8137', // of August 2026, OPA 1.19.1
    variable: 'BENCH_OPA_ENVOY',
  })
  if ('reason' in program) return { name, ...program }
  const policy = installation.file('policy.rego')
  await writeFile(policy, opaPolicy(await readFile(keySet, 'utf8')))
  const port = await freePort()
  const settings = {
    addr: `127.0.0.1:${port}`,
    path: 'bench/decision',
  }
  const set = Object.entries(settings).flatMap(([key, value]) => [
    '--set',
    `plugins.envoy_ext_authz_grpc.${key}=${value}`,
  ])
  const own = ['--addr', `unix://${installation.file('opa.sock')}`, '--log-level', 'error']
  const args = ['run', '--server', '--disable-telemetry', ...own, ...set, policy]
  const started = await startProgram(installation, program.path, port, args)
  return { name, ...started, ...READS_HEADERS }
}

const opaPolicy = (keys: string): string => `package bench

token := substring(input.attributes.request.http.headers.authorization, 7, -1)

proven := io.jwt.decode_verify(token, {
  "cert": ${JSON.stringify(keys)},
  "iss": ${JSON.stringify(ISSUER)},
  "aud": ${JSON.stringify(AUDIENCE)},
})

secret if glob.match("/api/v1/namespaces/*/secrets/**", ["/"], input.attributes.request.http.path)

default decision := {"allowed": false, "http_status": 401, "headers": {"www-authenticate": "Bearer"}}

decision := {"allowed": false, "http_status": 403} if {
  proven[0]
  secret
}

decision := {
  "allowed": true,
  "headers": {"x-remote-user": proven[2].sub, "x-remote-group": proven[2].groups},
  "request_headers_to_remove": ["authorization"],
} if {
  proven[0]
  not secret
}
`

/** https://github.com/dadrus/heimdall */
export const heimdall: StartServer = async (installation, { keySet }) => {
  const name = PEER_NAMES.heimdall
  const program = await buildModule({
    program: 'heimdall',
    path: 'github.com/dadrus/heimdall',
    version: '1eecdfbecfa4f190d58c27321c3f7e7dad9a34f4', // of July 2026, after 0.17.18
    variable: 'BENCH_HEIMDALL',
  })
  if ('reason' in program) return { name, ...program }
  const rules = installation.file('heimdall-rules.yaml')
  const config = installation.file('heimdall.yaml')
  await writeFile(rules, stringify(HEIMDALL_RULES))
  // It has no key sets of files.
  const keys = await serveKeySet(installation, await readFile(keySet))
  const management = await freePort()
  const port = await freePort()
  await writeFile(config, stringify(heimdallConfiguration({ port, management, keys, rules })))
  const started = await startProgram(installation, program.path, port, [
    'serve',
    'decision',
    '--envoy-grpc',
    '--config',
    config,
    '--insecure',
  ])
  const expectationOf = (user: string): Expectation => ({
    ...READS_HEADERS.expectationOf(user),
    keepsCredential: true, // it has no means to remove a header
  })
  return { name, ...started, ...READS_HEADERS, expectationOf }
}

const HEIMDALL_RULES = {
  version: '1beta1',
  name: 'bench',
  rules: [
    {
      id: 'all',
      match: { http: { paths: [{ path: '/**' }] } },
      execute: [
        { authenticator: 'tokens' },
        { authorizer: 'no-secrets' },
        { finalizer: 'identity' },
      ],
    },
  ],
}

const heimdallConfiguration = ({
  port,
  management,
  keys,
  rules,
}: {
  readonly port: number
  readonly management: number
  readonly keys: string
  readonly rules: string
}): object => ({
  serve: { host: '127.0.0.1', port },
  management: { host: '127.0.0.1', port: management },
  log: { level: 'error' },
  metrics: { enabled: false },
  tracing: { enabled: false },
  mechanisms: {
    authenticators: [
      {
        id: 'tokens',
        type: 'jwt',
        config: {
          jwks_endpoint: { url: keys },
          assertions: { issuers: [ISSUER], audience: [AUDIENCE], allowed_algorithms: ['ES256'] },
        },
      },
    ],
    authorizers: [
      {
        id: 'no-secrets',
        type: 'cel',
        config: {
          expressions: [
            { expression: '!Request.URL.Path.matches("^/api/v1/namespaces/[^/]+/secrets/")' },
          ],
        },
      },
    ],
    finalizers: [
      {
        id: 'identity',
        type: 'header',
        config: {
          headers: {
            'X-Remote-User': '{{ .Subject.ID }}',
            'X-Remote-Group': '{{ .Subject.Attributes.groups | join "," }}',
          },
        },
      },
    ],
  },
  providers: { file_system: { src: rules } },
})

const serveKeySet = async (installation: Installation, keys: Buffer): Promise<string> => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(keys)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  installation.use({
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server is not bound')
  return `http://127.0.0.1:${address.port}/keys`
}
