// A cluster of three primaries, and a replica of the one that has our keys.

import { until } from '../fakes/until.ts'
import { startNode, type Engine, type RedisNodeProcess } from './redis-node.ts'
import { freePort } from './ports.ts'

/** The password of all nodes. */
export const CLUSTER_PASSWORD = 'cluster-secret'

/** A running cluster. */
export interface RedisCluster extends AsyncDisposable {
  readonly primaries: readonly RedisNodeProcess[]
  /** Two primaries that have other keys. */
  readonly others: readonly [RedisNodeProcess, RedisNodeProcess]
  /** The primary that has the keys of the prefix, and its replica. */
  readonly owner: RedisNodeProcess
  readonly replica: RedisNodeProcess
}

const SLOTS = 16_384
const NODE_TIMEOUT_MS = 2_000

/**
 * Starts a cluster.
 *
 * @param prefix of keys, with a hash tag
 */
export const startCluster = async (engine: Engine, prefix: string): Promise<RedisCluster> => {
  await using stack = new AsyncDisposableStack()
  const start = async (): Promise<RedisNodeProcess & { readonly bus: number }> => {
    const bus = await freePort()
    const lines = [
      'save ""',
      'appendonly no',
      `masterauth "${CLUSTER_PASSWORD}"`,
      'cluster-enabled yes',
      `cluster-port ${bus}`,
      `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
      'repl-diskless-sync-delay 0',
      'repl-ping-replica-period 1',
    ]
    const options = { engine, password: CLUSTER_PASSWORD, lines: () => lines }
    return Object.assign(stack.use(await startNode(options)), { bus })
  }
  const nodes = await Promise.all([start(), start(), start(), start()])
  const [first, ...others] = nodes
  const replica = nodes[3]
  const primaries = nodes.slice(0, 3)
  for (const { port, bus } of others) {
    await first.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus))
  }
  const share = Math.ceil(SLOTS / primaries.length)
  for (const [index, node] of primaries.entries()) {
    const last = Math.min(SLOTS, (index + 1) * share) - 1
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last))
  }
  const slot = Number((await first.command('CLUSTER', 'KEYSLOT', prefix)).trim())
  const owner = primaries[Math.floor(slot / share)]
  if (owner === undefined) throw new RangeError(`no node has slot ${slot}`)
  const id = (await owner.command('CLUSTER', 'MYID')).trim()
  await until(async () => (await replica.command('CLUSTER', 'NODES')).includes(id))
  await replica.command('CLUSTER', 'REPLICATE', id)
  for (const node of nodes) {
    await until(async () => {
      const state = await node.command('CLUSTER', 'INFO')
      return state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:4')
    }, 'the cluster is whole')
  }
  await until(async () => (await owner.command('INFO', 'replication')).includes('state=online'))
  const owned = stack.move()
  const [other, another] = primaries.filter((node) => node !== owner)
  if (other === undefined || another === undefined) throw new RangeError('two of three remain')
  return {
    primaries,
    others: [other, another],
    owner,
    replica,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
