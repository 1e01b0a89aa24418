// Countersign, with a JWT in and headers out: three rules, and an audit event for each check.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { freePort } from '../../test/servers/ports.ts'
import type { Issued } from '../credentials/tokens.ts'
import type { Installation } from '../installation.ts'
import { GROUPS, HEADERS_ROUTE, RULES } from '../site.ts'
import type { Service } from '../service.ts'
import type { CheckServer, StartServer } from './server.ts'
import { DEFAULT_GRPC_SERVER, type GrpcServerKind } from '../../src/runtime/grpc/grpc-server.ts'

/** As the tables name it. */
export const COUNTERSIGN = 'Countersign'

const ON_GRPC_JS = `${COUNTERSIGN} on grpc-js`

/** Starts it on its own gRPC server, the default. */
export const countersign: StartServer = async (installation, issued) =>
  await startTwice(installation, issued, { name: COUNTERSIGN, file: 'countersign' })

/** The same on the reference implementation of its server. */
export const countersignOnGrpcJs: StartServer = async (installation, issued) =>
  await startTwice(installation, issued, { name: ON_GRPC_JS, file: 'grpc-js', server: 'grpc-js' })

/** Starts two: new tokens would displace those that the first has cached. */
const startTwice = async (
  installation: Installation,
  issued: Issued,
  options: CountersignOptions,
): Promise<CheckServer> => {
  const { pids, port } = await startCountersign(installation, issued, {
    ...options,
    file: `${options.file}-new`,
  })
  return {
    ...(await startCountersign(installation, issued, options)),
    forNewTokens: { pids, port },
  }
}

/** Where an authz is in the tables and in the folder. */
export interface CountersignOptions {
  readonly name: string
  /** The first part of the names of its files. */
  readonly file: string
  /** Rules other than the usual three. */
  readonly rules?: readonly object[]
  /** The implementation of gRPC; default: that of authz. */
  readonly server?: GrpcServerKind
  /** Authenticators after that of tokens, by name. */
  readonly authenticators?: Readonly<Record<string, object>>
  /** As of {@link ServiceOptions}. */
  readonly inside?: boolean
}

/** A Countersign, and its process. */
export interface RunningCountersign extends CheckServer {
  readonly worker: Service
  /** Its configuration. */
  readonly config: string
}

/** Starts an authz. */
export const startCountersign = async (
  installation: Installation,
  { authenticator }: Pick<Issued, 'authenticator'>,
  { name, file, rules = RULES, server, authenticators = {}, inside = false }: CountersignOptions,
): Promise<RunningCountersign> => {
  const port = await freePort()
  const config = installation.file(`${file}.yaml`)
  const document = {
    ...configurationOf(port, {
      audit: installation.file(`${file}.jsonl`),
      rules,
      server,
      authenticate: ['tokens', ...Object.keys(authenticators)],
    }),
    authenticators: { tokens: authenticator('1h'), ...authenticators },
  }
  await writeFile(config, stringify(document, { aliasDuplicateObjects: false }))
  const worker = await installation.service({ command: 'authz', config, inside })
  return {
    name,
    pids: [worker.pid],
    port,
    verifies: true,
    rawHeaders: true,
    expectationOf: (user) => ({ outcome: 'allow', user, groups: GROUPS }),
    worker,
    config,
  }
}

/** The configuration without its authenticators. */
export const configurationOf = (
  port: number,
  {
    audit,
    rules,
    server = DEFAULT_GRPC_SERVER,
    authenticate = ['tokens'],
  }: {
    /** The path of the audit log. */
    readonly audit: string
    readonly rules: readonly object[]
    readonly server?: GrpcServerKind | undefined
    /** The names of the authenticators; by default `tokens`. */
    readonly authenticate?: readonly string[]
  },
): object => ({
  version: 1,
  listen: { authz: { address: `127.0.0.1:${port}`, server } },
  routes: [
    {
      name: HEADERS_ROUTE.name,
      match: { hosts: [HEADERS_ROUTE.host] },
      authenticate,
      authorize: rules,
      forward: { headers: 'kubernetes' },
    },
  ],
  audit: { file: audit },
  // It says when a reload has ended, and nothing of a check.
  log: { level: 'info' },
})
