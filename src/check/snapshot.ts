// A configuration, built: everything that a check needs, made whole before any check sees it, and
// never changed afterwards.

import { createHash } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { basicAuthenticator } from '../authenticate/basic.ts'
import { Chain, type ChainLink } from '../authenticate/chain.ts'
import type { FactMemory } from '../authenticate/facts.ts'
import type { HashPool } from '../authenticate/password/hash.ts'
import { UsersFile } from '../authenticate/password/users-file.ts'
import { compilePolicy } from '../authorize/policy.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import type { Locate } from '../config/document.ts'
import { readConfig } from '../config/parse.ts'
import { ConfigurationError, type Problem } from '../config/problem.ts'
import type { AuthenticatorConfig, Config, ListenerConfig, RouteConfig } from '../config/schema.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import { GrantSeal } from '../grant/seal.ts'
import { IdentityMapping } from '../identity/mapping.ts'
import { parseGrantKeys } from '../keys/grant-keys.ts'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { ServerTls } from '../runtime/grpc-server.ts'
import { clientCertificate } from '../transform/client-certificate.ts'
import { kubernetesHeaders } from '../transform/headers.ts'
import type { Transformer } from '../transform/transformer.ts'
import { RouteTable, type Route } from './route.ts'

/** A configuration in force. A check takes one and keeps it to its end. */
export interface Snapshot {
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
  const builder = new Builder(files, resources, locate)
  const links = new Map<string, ChainLink>()
  for (const [name, authenticator] of Object.entries(config.authenticators)) {
    // oxlint-disable-next-line no-await-in-loop -- problems come out in the order of the file
    links.set(name, await builder.link(name, authenticator))
  }
  const tls = await builder.tls(config.listen.authz)
  const seal = await builder.seal(config)
  if (builder.problems.length > 0) throw new ConfigurationError(builder.problems)
  const entries = config.routes.map((route) => ({
    match: route.match,
    route: compileRoute(route, { links, seal, clock: resources.clock }),
  }))
  const behindProxies = (config.envoy?.listener.trustedHops ?? 0) > 0
  return { config, routes: new RouteTable(entries), tls, behindProxies }
}

class Builder {
  readonly problems: Problem[] = []
  readonly #files: ConfigurationFiles
  readonly #resources: SnapshotResources
  readonly #locate: Locate

  constructor(files: ConfigurationFiles, resources: SnapshotResources, locate: Locate) {
    this.#files = files
    this.#resources = resources
    this.#locate = locate
  }

  async link(name: string, { basic, allowReserved }: AuthenticatorConfig): Promise<ChainLink> {
    const verifiers: UsersFile[] = []
    for (const [index, { users }] of basic.verify.entries()) {
      const path = ['authenticators', name, 'basic', 'verify', index, 'users', 'file']
      // oxlint-disable-next-line no-await-in-loop -- problems come out in the order of the file
      const verifier = await this.#collect(path, () => this.#usersFile(users.file))
      if (verifier !== undefined) verifiers.push(verifier)
    }
    const { realm, remember } = basic
    const generation = digest([
      name,
      realm,
      String(remember),
      ...verifiers.map((verifier) => verifier.generation),
    ])
    const { memory } = this.#resources
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
      this.#collect([...path, key], step)
    const certificate = await read('certificate', () => this.#files.read(tls.certificate))
    const key = await read('key', () => readSecret(tls.key, this.#files))
    const clientCa = await read('clientCa', () => this.#files.read(tls.clientCa))
    if (certificate === undefined || key === undefined || clientCa === undefined) return undefined
    try {
      createSecureContext({ cert: certificate, key, ca: clientCa })
    } catch (cause) {
      this.problems.push(this.#locate(path, `cannot be used: ${describeError(cause)}`))
    }
    return { certificate, key, clientCa }
  }

  /** Reads the keyring that is shared with the signer. */
  async seal({ grants }: Config): Promise<GrantSeal | undefined> {
    if (grants === undefined) return undefined
    const { keyring } = grants
    return await this.#collect(['grants', 'keyring'], async () => {
      const text = await readSecret(keyring, this.#files)
      return new GrantSeal(parseGrantKeys(describeReference(keyring), text.toString('utf8')))
    })
  }

  async #usersFile(path: string): Promise<UsersFile> {
    return UsersFile.parse(path, await this.#files.readText(path), this.#resources.hashes)
  }

  /** Runs one step; an expected failure becomes problems, so that the next step's show up too. */
  async #collect<T>(path: readonly PropertyKey[], step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step()
    } catch (cause) {
      if (cause instanceof ConfigurationError) this.problems.push(...cause.problems)
      else if (cause instanceof CountersignError)
        this.problems.push(this.#locate(path, cause.message))
      else throw cause
      return undefined
    }
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
