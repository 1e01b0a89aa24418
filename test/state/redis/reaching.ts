// Connections to a Redis of the tests.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../../src/runtime/clock.ts'
import { parseRedisUrl, type Login } from '../../../src/state/redis/address.ts'
import { RedisConnection, type ConnectionOptions } from '../../../src/state/redis/connection.ts'
import type { RedisServer } from '../../../src/state/redis/primary.ts'
import { StateStatistics } from '../../../src/state/statistics.ts'
import type { Redis } from '../../servers/redis.ts'

/** What differs from the server behind a URL. */
export interface ServerParts extends Partial<RedisServer>, Partial<Login> {
  readonly host?: string
  readonly port?: number
}

/** The server behind a URL. */
export const serverAt = (url: string, parts: ServerParts = {}): RedisServer => {
  const { nodes, login } = parseRedisUrl('the test', url)
  const [{ host, port } = { host: '', port: 0 }] = nodes
  const { username, password } = { ...login, ...parts }
  return {
    nodes: [{ host: parts.host ?? host, port: parts.port ?? port }],
    topology: { kind: 'single' },
    replicas: 0,
    database: 0,
    login: { kind: 'fixed', username, password },
    tls: undefined,
    plaintext: false,
    // A busy machine answers late: tests of what times out have shorter ones.
    connectTimeout: 10_000,
    timeout: 10_000,
    ...parts,
  }
}

/** A Redis over TLS. */
export const secureServerOf = async (
  { tlsUrl, authority, client }: Redis,
  parts: Partial<RedisServer['tls'] & object> = {},
  place: ServerParts = {},
): Promise<RedisServer> =>
  serverAt(tlsUrl, {
    ...place,
    tls: {
      ca: await readFile(authority.ca),
      serverName: undefined,
      client: {
        certificate: await readFile(client.certificate),
        key: await readFile(client.key),
      },
      ...parts,
    },
  })

/** A connection to it, that has been tried once, and what it reported. */
export const reach = async (
  server: RedisServer,
  parts: Partial<ConnectionOptions> = {},
): Promise<RedisConnection & { readonly reports: readonly unknown[] }> => {
  const reports: unknown[] = []
  const connection = new RedisConnection({
    name: 'redis of the test',
    server,
    beat: 'countersign:replicated',
    clock: systemClock,
    statistics: new StateStatistics(systemClock, () => undefined),
    greet: () => Promise.resolve(),
    report: (state) => reports.push('failure' in state ? state.failure : undefined),
    ...parts,
  })
  await connection.connect()
  return Object.assign(connection, { reports })
}

/** The same, where it has to succeed. */
export const connectTo = async (server: RedisServer): ReturnType<typeof reach> => {
  const connection = await reach(server)
  assert.equal(connection.failure, undefined)
  return connection
}
