// A primary with replicas, and sentinels that replace it when it fails.

import { until } from '../fakes/until.ts'
import { COMMANDS } from './redis.ts'
import { startNode, type Engine, type RedisNodeProcess } from './redis-node.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** The password of the servers. */
export const PASSWORD = 'server-secret'
/** That of the sentinels. */
export const SENTINEL_PASSWORD = 'sentinel-secret'
/** A user of the servers who may do no more than docs/operate/state.md lists. */
export const USER = 'countersign'
export const USER_PASSWORD = 'user-secret'
/** By which the sentinels know the primary. */
export const MASTER = 'state'

/** Servers with sentinels. */
export interface Sentinels extends AsyncDisposable {
  /** The primary, at first. */
  readonly primary: RedisNodeProcess
  readonly sentinels: readonly RedisNodeProcess[]
  /** Between the primary on one side, and its replicas and the sentinels on the other. */
  readonly link: TcpProxy
  /** The addresses of the sentinels, `HOST:PORT,HOST:PORT`. */
  readonly addresses: string
}

// A busy machine answers late, which is not a reason for a failover.
const DOWN_AFTER_MS = 2_000

const serverLines = (primary: number | undefined): readonly string[] => [
  'save ""',
  'appendonly no',
  `masterauth "${PASSWORD}"`,
  'repl-diskless-sync-delay 0',
  'repl-ping-replica-period 1',
  `user ${USER} on >${USER_PASSWORD} ~countersign:* -@all ${COMMANDS} +role +wait`,
  ...(primary === undefined ? [] : [`replicaof 127.0.0.1 ${primary}`]),
]

const sentinelLines = (primary: number): readonly string[] => [
  `sentinel monitor ${MASTER} 127.0.0.1 ${primary} 2`,
  `sentinel auth-pass ${MASTER} ${PASSWORD}`,
  `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
  `sentinel failover-timeout ${MASTER} 10000`,
]

/** Starts a primary, two replicas and three sentinels. */
export const startSentinels = async (engine: Engine): Promise<Sentinels> => {
  await using stack = new AsyncDisposableStack()
  const server = async (primary?: number): Promise<RedisNodeProcess> =>
    stack.use(await startNode({ engine, password: PASSWORD, lines: () => serverLines(primary) }))
  const primary = await server()
  const link = stack.use(await startTcpProxy({ port: primary.port }))
  await Promise.all([server(link.port), server(link.port)])
  await until(async () =>
    (await primary.command('INFO', 'replication')).includes('connected_slaves:2'),
  )
  const sentinels = await Promise.all(
    Array.from({ length: 3 }, async () =>
      stack.use(
        await startNode({
          engine,
          password: SENTINEL_PASSWORD,
          sentinel: true,
          lines: () => sentinelLines(link.port),
        }),
      ),
    ),
  )
  // Each knows the replicas, and its two peers.
  for (const sentinel of sentinels) {
    await until(async () => {
      const text = await sentinel.command('SENTINEL', 'MASTER', MASTER)
      return /num-slaves\n2\n/.test(text) && /num-other-sentinels\n2\n/.test(text)
    }, 'a sentinel knows its peers')
  }
  const owned = stack.move()
  return {
    primary,
    sentinels,
    link,
    addresses: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
