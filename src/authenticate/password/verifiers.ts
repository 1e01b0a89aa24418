// The configured password verifiers, built: files and secrets read, connections not yet made.

import { createHash } from 'node:crypto'
import type { HashPool } from './hash.ts'
import { LdapVerifier } from './ldap/verifier.ts'
import { ServicePassword } from '../../clients/ldap/options.ts'
import type { LdapOptions } from './ldap/options.ts'
import { Radius } from './radius/verifier.ts'
import type { RadiusServerOptions, RadiusTls } from '../../clients/radius/options.ts'
import { SharedSecret } from '../../clients/radius/secret.ts'
import { UsersFile } from './users-file.ts'
import type { PasswordVerifier } from './verifier.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import type { ConfigurationFiles } from '../../config/files.ts'
import type { LdapConfig, RadiusConfig, VerifierConfig } from './schema.ts'
import { readSecret } from '../../config/secret.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { State } from '../../state/state.ts'
import { withoutLineEnd } from '../../config/secret-text.ts'

/** What building needs. */
export interface VerifierParts {
  readonly files: ConfigurationFiles
  readonly hashes: HashPool
  readonly state: Pick<State, 'keys'>
  readonly clock: Clock
  readonly logger: Logger
}

/** A verifier, and what remembered proofs of it rest on. */
export interface BuiltVerifier {
  readonly verifier: PasswordVerifier
  /** Changes with anything that decides what it says, but for what a server says by itself. */
  readonly generation: string
  /** The servers that it asks. */
  readonly servers: readonly ServerState[]
  /** Ends its connections. */
  close(): Promise<void>
}

/**
 * Builds one entry of `basic.verify`.
 *
 * @throws ConfigurationError, CountersignError
 */
export const buildVerifier = async (
  { users, ldap, radius }: VerifierConfig,
  parts: VerifierParts,
): Promise<BuiltVerifier> => {
  if (users !== undefined) {
    const text = await parts.files.readText(users.file)
    const verifier = UsersFile.parse(users.file, text, parts.hashes, parts.state.keys)
    const { generation } = verifier
    return { verifier, generation, servers: [], close: () => Promise.resolve() }
  }
  if (ldap !== undefined) return await buildLdap(ldap, parts)
  if (radius !== undefined) return await buildRadius(radius, parts)
  throw new TypeError('a verifier of no kind') // the schema refuses it
}

const buildLdap = async (config: LdapConfig, parts: VerifierParts): Promise<BuiltVerifier> => {
  const secrets: Buffer[] = []
  const options = await ldapOptions(config, secretReader(parts.files, secrets))
  const { clock, logger } = parts
  const verifier = new LdapVerifier(options, {
    clock,
    report: (server, failure) => {
      if (failure === undefined) logger.info({ server }, 'directory answers again')
      else logger.warn({ server, err: failure }, 'directory failed')
    },
  })
  return {
    verifier,
    generation: digest(JSON.stringify(config), secrets),
    servers: verifier.servers,
    close: async () => verifier[Symbol.dispose](),
  }
}

type SecretReader = (reference: Parameters<typeof readSecret>[0]) => Promise<Buffer>

/** Reads secrets and keeps them for the digest; one line's end is not a part of a password. */
const secretReader =
  (files: ConfigurationFiles, secrets: Buffer[]): SecretReader =>
  async (reference) => {
    const secret = withoutLineEnd(await readSecret(reference, files))
    secrets.push(secret)
    return secret
  }

const ldapOptions = async (config: LdapConfig, read: SecretReader): Promise<LdapOptions> => {
  const { servers, startTls, ca, serverName, client, bind, direct, search } = config
  const file = (path: string): Promise<Buffer> => read({ kind: 'file', path })
  return {
    servers,
    tls: {
      startTls,
      ca: ca === undefined ? undefined : await file(ca),
      serverName,
      client: client && {
        certificate: await file(client.certificate),
        key: await read(client.key),
      },
    },
    limits: {
      connectTimeout: config.connectTimeout,
      operationTimeout: config.operationTimeout,
      concurrency: config.concurrency,
      waiting: config.maxPending,
      coolDown: config.coolDown,
      idle: config.idleTimeout,
    },
    proof:
      bind !== undefined && search !== undefined
        ? {
            kind: 'search',
            service: {
              dn: bind.dn,
              password: new ServicePassword((await read(bind.password)).toString('utf8')),
            },
            search,
          }
        : { kind: 'direct', names: direct ?? [], search },
    attributes: config.attributes,
    groups: groupsOf(config.groups),
  }
}

const groupsOf = (groups: LdapConfig['groups']): LdapOptions['groups'] => {
  if (groups === undefined) return undefined
  const { attribute, search, activeDirectory, name, subtree, primaryGroupBase, limit } = groups
  const common = {
    name: name === undefined ? ('rdn' as const) : { attribute: name },
    under: subtree,
    primaryUnder: primaryGroupBase,
    limit,
  }
  if (search !== undefined) return { lookup: { kind: 'search', ...search }, ...common }
  if (activeDirectory !== undefined) {
    return { lookup: { kind: 'ad', ...activeDirectory }, ...common }
  }
  const { name: holder, nested } = attribute ?? { name: 'memberOf', nested: 0 }
  return { lookup: { kind: 'attribute', attribute: holder, nested }, ...common }
}

const buildRadius = async (config: RadiusConfig, parts: VerifierParts): Promise<BuiltVerifier> => {
  const secrets: Buffer[] = []
  const read = secretReader(parts.files, secrets)
  const servers = await Promise.all(config.servers.map((server) => radiusServer(server, read)))
  const verifier = new Radius({ ...config, servers }, parts)
  return {
    verifier,
    generation: digest(verifier.generation, secrets),
    servers: verifier.servers,
    close: () => verifier[Symbol.asyncDispose](),
  }
}

const radiusServer = async (
  { host: target, secret, tls }: RadiusConfig['servers'][number],
  read: SecretReader,
): Promise<RadiusServerOptions> => {
  const [, host = '', port] = /^(.+?)(?::(\d+))?$/.exec(target) ?? []
  const place = {
    host: host.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { port: Number(port) }),
  }
  const shared = secret === undefined ? undefined : new SharedSecret(await read(secret))
  if (tls !== undefined) return { ...place, secret: shared, tls: await radiusTls(tls, read) }
  if (shared === undefined) throw new TypeError('a server without a secret') // the schema refuses it
  return { ...place, secret: shared }
}

const radiusTls = async (
  { ca, serverName, client }: NonNullable<RadiusConfig['servers'][number]['tls']>,
  read: SecretReader,
): Promise<RadiusTls> => ({
  ca: await read({ kind: 'file', path: ca }),
  serverName,
  client: client && {
    certificate: await read({ kind: 'file', path: client.certificate }),
    key: await read(client.key),
  },
})

/** Tells configurations apart without telling the secrets in them. */
const digest = (settings: string, secrets: readonly Buffer[]): string => {
  const sum = createHash('sha256').update(settings)
  for (const secret of secrets) sum.update(createHash('sha256').update(secret).digest())
  return sum.digest('base64url')
}
