// Connections to a Redis of the tests.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { RedisServer } from '../../../src/state/redis/client.ts'
import { RedisConnection, type ConnectionOptions } from '../../../src/state/redis/connection.ts'
import { StateStatistics } from '../../../src/state/statistics.ts'
import type { Redis } from '../../servers/redis.ts'

/** The server behind a URL. */
export const serverAt = (url: string, parts: Partial<RedisServer> = {}): RedisServer => {
  const { hostname, port, username, password } = new URL(url)
  return {
    host: hostname,
    port: Number(port),
    database: 0,
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : decodeURIComponent(password),
    tls: undefined,
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
): Promise<RedisServer> =>
  serverAt(tlsUrl, {
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
    clock: systemClock,
    statistics: new StateStatistics(systemClock, () => undefined),
    greet: () => Promise.resolve(),
    report: (failure) => reports.push(failure),
    ...parts,
  })
  await connection.connect()
  return Object.assign(connection, { reports })
}

/** The same, where it has to succeed. */
export const connectTo = async (server: RedisServer): Promise<RedisConnection> => {
  const connection = await reach(server)
  assert.equal(connection.failure, undefined)
  return connection
}
