// The `state` section with everything that it names read: keyrings, addresses, certificates. It opens and makes
// nothing, so that a configuration can be validated anywhere.

import { createSecureContext } from 'node:tls'
import type { ConfigurationFiles } from '../config/files.ts'
import type { ProblemList } from '../config/problem-list.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import type { StateConfig } from './schema.ts'
import { isLoopback, type SecretReference } from '../config/values.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { RedisServer, RedisTls } from './redis/client.ts'
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
  const server = await readServer(redis, files, problems)
  return secret && server && { kind: 'redis', server, prefix: redis.prefix, secret }
}

const readServer = async (
  redis: RedisConfig,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<RedisServer | undefined> => {
  const { connectTimeout, timeout } = redis
  const tls = await readTls(redis, files, problems)
  const address = await problems.collect(['state', 'redis', 'url'], async () => {
    const text = await readSecret(redis.url, files)
    return parseAddress(describeReference(redis.url), text.toString('utf8').trim(), redis)
  })
  if (address === undefined || tls === undefined) return undefined
  const { isSecure, ...place } = address
  return { ...place, tls: isSecure ? tls : undefined, connectTimeout, timeout }
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

interface ServerAddress extends Pick<
  RedisServer,
  'host' | 'port' | 'database' | 'username' | 'password'
> {
  readonly isSecure: boolean
}

const DEFAULT_PORT = 6_379

/** Reads `rediss://USER:PASSWORD@HOST:PORT/DATABASE`. No message quotes it, since it has a password. */
const parseAddress = (
  source: string,
  text: string,
  { plaintext }: Pick<RedisConfig, 'plaintext'>,
): ServerAddress => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSecure = url?.protocol === 'rediss:'
  const database = url && /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (
    url === undefined ||
    !(isSecure || url.protocol === 'redis:') ||
    url.hostname === '' ||
    database === undefined ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw invalid(
      `${source} holds no address of the form rediss://USER:PASSWORD@HOST:PORT/DATABASE (all but HOST may be left out)`,
    )
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  if (!isSecure && !plaintext && !isLoopback({ kind: 'tcp', host, port })) {
    throw invalid(
      `${source} has "redis:" with a host that is not loopback: the password would cross the network in the clear. Use "rediss:", or "plaintext: true"`,
    )
  }
  const credential = (part: string): string | undefined =>
    part === '' ? undefined : decodePart(source, part)
  return {
    host,
    port,
    database: Number(database),
    username: credential(url.username),
    password: credential(url.password),
    isSecure,
  }
}

const decodePart = (source: string, part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(`${source} has a user or a password that is not percent-encoded as in a URL`)
  }
}

const invalid = (message: string) => new CountersignError('configuration-invalid', message)
