// A configuration, built: everything that a check needs, made whole before any check sees it, and
// never changed afterwards.

import { createHash } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { basicAuthenticator } from '../authenticate/basic.ts'
import { Chain, type ChainLink } from '../authenticate/chain.ts'
import type { FactMemory } from '../authenticate/facts.ts'
import type { HashPool } from '../authenticate/password/hash.ts'
import { compilePolicy } from '../authorize/policy.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../config/parse.ts'
import { ProblemList } from '../config/problem-list.ts'
import type { VerifierConfig } from '../config/password-schema.ts'
import type { AuthenticatorConfig, Config, ListenerConfig, RouteConfig } from '../config/schema.ts'
import { readSecret } from '../config/secret.ts'
import { readGrantSeal } from '../grant/keyring.ts'
import type { GrantSeal } from '../grant/seal.ts'
import { IdentityMapping } from '../identity/mapping.ts'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { ServerTls } from '../runtime/grpc-server.ts'
import { clientCertificate } from '../transform/client-certificate.ts'
import { buildVerifier, type BuiltVerifier } from './password-verifiers.ts'
import { kubernetesHeaders } from '../transform/headers.ts'
import type { Transformer } from '../transform/transformer.ts'
import { RouteTable, type Route } from './route.ts'

/**
 * A configuration in force. A check takes one and keeps it to its end. Disposing of it ends the
 * connections of its verifiers; one that is only replaced lets them end for want of use.
 */
export interface Snapshot extends AsyncDisposable {
  readonly config: Config
  readonly routes: RouteTable
  /** TLS material of the listener, when it speaks TLS. */
  readonly tls: ServerTls | undefined
  /** Whether Envoy counts proxies in front of it (`envoy.listener.trustedHops`). */
  readonly behindProxies: boolean
}

/** What outlives a configuration and is lent to each. */
export interface SnapshotResources {
  readonly memory: FactMemory
  readonly hashes: HashPool
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Reads a configuration and everything it names.
 *
 * @throws ConfigurationError with every problem found
 */
export const buildSnapshot = async (
  file: string,
  files: ConfigurationFiles,
  resources: SnapshotResources,
): Promise<Snapshot> => {
  const { config, locate } = await readConfig(file, files)
  const problems = new ProblemList(locate)
  const builder = new Builder(files, resources, problems)
  const links = new Map<string, ChainLink>()
  for (const [name, authenticator] of Object.entries(config.authenticators)) {
    // oxlint-disable-next-line no-await-in-loop -- problems come out in the order of the file
    links.set(name, await builder.link(name, authenticator))
  }
  const tls = await builder.tls(config.listen.authz)
  const seal = await builder.seal(config)
  if (problems.error !== undefined) throw problems.error
  const entries = config.routes.map((route) => ({
    match: route.match,
    route: compileRoute(route, { links, seal, clock: resources.clock }),
  }))
  const behindProxies = (config.envoy?.listener.trustedHops ?? 0) > 0
  return {
    config,
    routes: new RouteTable(entries),
    tls,
    behindProxies,
    [Symbol.asyncDispose]: () => builder.connections.disposeAsync(),
  }
}

class Builder {
  /** Of verifiers that ask servers. */
  readonly connections = new AsyncDisposableStack()
  readonly #files: ConfigurationFiles
  readonly #resources: SnapshotResources
  readonly #problems: ProblemList

  constructor(files: ConfigurationFiles, resources: SnapshotResources, problems: ProblemList) {
    this.#files = files
    this.#resources = resources
    this.#problems = problems
  }

  async link(name: string, { basic, allowReserved }: AuthenticatorConfig): Promise<ChainLink> {
    const built: BuiltVerifier[] = []
    for (const [index, entry] of basic.verify.entries()) {
      const key = entry.users === undefined ? Object.keys(entry) : ['users', 'file']
      const path = ['authenticators', name, 'basic', 'verify', index, ...key]
      // oxlint-disable-next-line no-await-in-loop -- problems come out in the order of the file
      const verifier = await this.#problems.collect(path, () => this.#verifier(entry))
      if (verifier !== undefined) built.push(verifier)
    }
    const { realm, remember } = basic
    const generation = digest([
      name,
      realm,
      String(remember),
      ...built.map((verifier) => verifier.generation),
    ])
    const { memory } = this.#resources
    const verifiers = built.map(({ verifier }) => verifier)
    return {
      authenticator: basicAuthenticator({ name, realm, verifiers, remember, generation, memory }),
      mapping: new IdentityMapping(name, { allowReserved }),
    }
  }

  /** Reads the listener's TLS files, and sees that the key belongs to the certificate. */
  async tls({ tls }: ListenerConfig): Promise<ServerTls | undefined> {
    if (tls === undefined) return undefined
    const path = ['listen', 'authz', 'tls']
    const read = (key: string, step: () => Promise<Buffer>): Promise<Buffer | undefined> =>
      this.#problems.collect([...path, key], step)
    const certificate = await read('certificate', () => this.#files.read(tls.certificate))
    const key = await read('key', () => readSecret(tls.key, this.#files))
    const clientCa = await read('clientCa', () => this.#files.read(tls.clientCa))
    if (certificate === undefined || key === undefined || clientCa === undefined) return undefined
    await this.#problems.collect(path, () => {
      try {
        createSecureContext({ cert: certificate, key, ca: clientCa })
      } catch (cause) {
        const message = `cannot be used: ${describeError(cause)}`
        throw new CountersignError('configuration-invalid', message, { cause })
      }
    })
    return { certificate, key, clientCa }
  }

  /** Reads the keyring that is shared with the signer. */
  async seal({ grants }: Config): Promise<GrantSeal | undefined> {
    if (grants === undefined) return undefined
    const { keyring } = grants
    return await this.#problems.collect(['grants', 'keyring'], () =>
      readGrantSeal(keyring, this.#files),
    )
  }

  async #verifier(entry: VerifierConfig): Promise<BuiltVerifier> {
    const built = await buildVerifier(entry, { ...this.#resources, files: this.#files })
    this.connections.defer(() => built.close())
    return built
  }
}

/** What the routes of one configuration share. */
interface RouteParts {
  readonly links: ReadonlyMap<string, ChainLink>
  readonly seal: GrantSeal | undefined
  readonly clock: Clock
}

const compileRoute = (route: RouteConfig, parts: RouteParts): Route => ({
  name: route.name,
  chain: new Chain(route.authenticate.flatMap((name) => parts.links.get(name) ?? [])),
  policy: compilePolicy(route.authorize),
  transformers: compileForward(route, parts),
  onAuditFailure: route.onAuditFailure,
})

const compileForward = ({ name, forward }: RouteConfig, parts: RouteParts): Transformer[] => {
  const transformers = forward.headers === undefined ? [] : [kubernetesHeaders()]
  if (forward.certificate !== undefined) {
    const { seal, clock } = parts
    if (seal === undefined) throw new Error('a certificate without a keyring') // parse.ts refuses it
    transformers.push(clientCertificate({ route: name, config: forward.certificate, seal, clock }))
  }
  return transformers
}

const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
