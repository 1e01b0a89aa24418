// The `state` section with everything that it names read: keyrings, addresses, certificates. It opens and makes
// nothing, so that a configuration can be validated anywhere.

import { createSecureContext } from 'node:tls'
import type { ConfigurationFiles } from '../config/files.ts'
import type { ProblemList } from '../config/problem-list.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import type { StateConfig } from './schema.ts'
import { isLoopback, type SecretReference } from '../config/values.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { parseRedisUrl, type RedisUrl } from './redis/address.ts'
import type { RedisTls } from './redis/client.ts'
import type { LoginSource } from './redis/login.ts'
import type { RedisServer, Topology } from './redis/primary.ts'
import { parseStateSecret, type StateSecret } from './state-secret.ts'

/** What opening a state needs. */
export type StateSettings =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'sqlite'
      readonly file: string
      readonly maxBytes: number
      /** `undefined`: the one next to the file. */
      readonly secret: StateSecret | undefined
    }
  | {
      readonly kind: 'redis'
      readonly server: RedisServer
      readonly prefix: string
      readonly secret: StateSecret
    }

type RedisConfig = NonNullable<StateConfig['redis']>

/** Reads what `state` names; `undefined` when there are problems, which are added to the list. */
export const readStateSettings = async (
  { sqlite, redis }: StateConfig,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<StateSettings | undefined> => {
  const secretOf = (path: readonly string[], reference: SecretReference) =>
    problems.collect(path, async () => {
      const text = await readSecret(reference, files)
      return parseStateSecret(describeReference(reference), text.toString('utf8'))
    })
  if (sqlite !== undefined) {
    const { file, maxBytes } = sqlite
    if (sqlite.secret === undefined) return { kind: 'sqlite', file, maxBytes, secret: undefined }
    const secret = await secretOf(['state', 'sqlite', 'secret'], sqlite.secret)
    return secret && { kind: 'sqlite', file, maxBytes, secret }
  }
  if (redis === undefined) return { kind: 'memory' }
  const secret = await secretOf(['state', 'redis', 'secret'], redis.secret)
  const prefix = redis.prefix ?? (redis.cluster ? CLUSTER_PREFIX : PREFIX)
  const server = await readServer(redis, prefix, files, problems)
  return secret && server && { kind: 'redis', server, prefix, secret }
}

const PREFIX = 'countersign:'
// Redis Cluster: keys with the same text in braces are in the same slot.
const CLUSTER_PREFIX = '{countersign}:'

const readServer = async (
  redis: RedisConfig,
  prefix: string,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<RedisServer | undefined> => {
  const { connectTimeout, timeout, replicas, plaintext } = redis
  const tls = await readTls(redis, files, problems)
  const url = await problems.collect(['state', 'redis', 'url'], async () => {
    const text = await readSecret(redis.url, files)
    return checkedUrl(parseRedisUrl(describeReference(redis.url), text.toString('utf8')), redis)
  })
  const login = await readLoginOf(redis, url, files, problems)
  const topology = await readTopology(redis, prefix, files, problems)
  if (url === undefined || tls === undefined || topology === undefined) return undefined
  if (login === undefined) return undefined
  const defaultPort = topology.kind === 'sentinel' ? SENTINEL_PORT : DEFAULT_PORT
  return {
    nodes: url.nodes.map(({ host, port }) => ({ host, port: port === 0 ? defaultPort : port })),
    topology,
    database: url.database,
    login,
    tls: url.isSecure ? tls : undefined,
    plaintext,
    replicas,
    connectTimeout,
    timeout,
  }
}

const DEFAULT_PORT = 6_379
const SENTINEL_PORT = 26_379

const readTopology = async (
  { sentinel, cluster }: RedisConfig,
  prefix: string,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<Topology | undefined> => {
  if (cluster) return { kind: 'cluster', key: prefix }
  if (sentinel === undefined) return { kind: 'single' }
  const { master, username, password } = sentinel
  if (password === undefined) {
    return { kind: 'sentinel', master, login: { kind: 'fixed', username, password } }
  }
  const path = ['state', 'redis', 'sentinel', 'password']
  const found = await problems.collect(path, () => readSecret(password, files))
  return (
    found && {
      kind: 'sentinel',
      master,
      login: { kind: 'password', username, reference: password },
    }
  )
}

/** What can be read again is, with each connection; here it only has to be there. */
const readLoginOf = async (
  { url, username, password }: RedisConfig,
  read: RedisUrl | undefined,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<LoginSource | undefined> => {
  const user = username ?? read?.login.username
  if (password !== undefined) {
    const path = ['state', 'redis', 'password']
    const found = await problems.collect(path, () => readSecret(password, files))
    return found && { kind: 'password', username: user, reference: password }
  }
  if (url.kind === 'file' && read?.login.password !== undefined) {
    return { kind: 'url', reference: url }
  }
  return { kind: 'fixed', username: user, password: read?.login.password }
}

/** No message quotes a URL, since it has a password. */
const checkedUrl = (url: RedisUrl, redis: RedisConfig): RedisUrl => {
  const source = describeReference(redis.url)
  const { sentinel, cluster, plaintext, password, username } = redis
  if (url.nodes.length > 1 && sentinel === undefined && !cluster) {
    throw invalid(
      `${source} has several hosts: say by "sentinel" or "cluster" how the primary among them is found`,
    )
  }
  if (cluster && url.database !== 0) {
    throw invalid(`${source} has a database, and a Redis Cluster has none but 0`)
  }
  if (password !== undefined && url.login.password !== undefined) {
    throw invalid(`${source} has a password, and so has "password": remove one`)
  }
  if (username !== undefined && url.login.username !== undefined) {
    throw invalid(`${source} has a user, and so has "username": remove one`)
  }
  const far = url.nodes.find((node) => !isLoopback({ kind: 'tcp', ...node }))
  if (!url.isSecure && !plaintext && far !== undefined) {
    throw invalid(
      `${source} has "redis:" with a host that is not loopback: the password would cross the network in the clear. Use "rediss:", or "plaintext: true"`,
    )
  }
  return url
}

const readTls = async (
  { ca, serverName, client }: RedisConfig,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<RedisTls | undefined> => {
  const path = ['state', 'redis']
  return await problems.collect(path, async () => {
    const authority = ca === undefined ? undefined : await files.read(ca)
    const presented = client && {
      certificate: await files.read(client.certificate),
      key: await readSecret(client.key, files),
    }
    try {
      createSecureContext({
        ...(authority && { ca: authority }),
        ...(presented && { cert: presented.certificate, key: presented.key }),
      })
    } catch (cause) {
      const message = `"ca" or "client" cannot be used: ${describeError(cause)}`
      throw new CountersignError('configuration-invalid', message, { cause })
    }
    return { ca: authority, serverName, client: presented }
  })
}

const invalid = (message: string) => new CountersignError('configuration-invalid', message)
