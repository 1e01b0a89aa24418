// Which of several servers accepts writes. Sentinels say it, by a vote; a cluster redirects. Who follows a failover is
// the connection: it is closed, and another one is opened to the server that is primary then.

import { formatAddress } from '../../config/values.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { RedisNode } from './address.ts'
import { connectClient, type RedisAccess, type RedisClient, type Reply } from './client.ts'
import type { LoginSource } from './login.ts'

/** What the addresses of a server are. */
export type Topology =
  /** The one of the server itself. */
  | { readonly kind: 'single' }
  /** Those of sentinels, which know the primary by a name. */
  | { readonly kind: 'sentinel'; readonly master: string; readonly login: LoginSource }
  /** Those of some nodes of a cluster. All keys are in one slot, that of this key. */
  | { readonly kind: 'cluster'; readonly key: string }

/** A server, or several of which one is the primary. */
export interface RedisServer extends RedisAccess {
  readonly nodes: readonly RedisNode[]
  readonly topology: Topology
  /** How many replicas must have a write before it counts. */
  readonly replicas: number
}

/** `HOST:PORT`. */
export const nameOf = (node: RedisNode): string => formatAddress({ kind: 'tcp', ...node })

/** The addresses of a server for logs and metrics, the same whichever is the primary. */
export const addressOf = ({ nodes, topology }: RedisServer): string => {
  const addresses = nodes.map(nameOf).join(',')
  return topology.kind === 'sentinel' ? `${addresses}/${topology.master}` : addresses
}

/** A connection to the primary. */
export interface Primary {
  readonly node: RedisNode
  readonly client: RedisClient
}

/**
 * Finds the primary, and connects to it.
 *
 * @param onEnd called once, when the connection has ended by itself
 * @throws the error of the network or the server; CountersignError `unavailable` when no server is primary
 */
export const connectPrimary = async (
  server: RedisServer,
  onEnd: (cause: unknown) => void,
): Promise<Primary> => {
  const { nodes, topology } = server
  switch (topology.kind) {
    case 'single': {
      const [node] = nodes
      if (node === undefined) throw new RangeError('a server without an address')
      return { node, client: await connectClient(node, server, onEnd) }
    }
    case 'sentinel':
      return await connectMaster(await mostNamed(await askSentinels(server)), server, onEnd)
    case 'cluster':
      return await followRedirects(server, topology.key, onEnd)
  }
}

/**
 * Whether another server is the primary now, as more than half of the sentinels say. Of other servers it is not known:
 * they say so themselves, by an error.
 */
export const isReplaced = async (node: RedisNode, server: RedisServer): Promise<boolean> => {
  if (server.topology.kind !== 'sentinel') return false
  const named = await majorityOf(await askSentinels(server))
  return named !== undefined && nameOf(named) !== nameOf(node)
}

interface Votes {
  /** One for each sentinel: the server that it names, or a rejection. */
  readonly answers: readonly Promise<RedisNode>[]
  readonly master: string
}

const askSentinels = async (server: RedisServer): Promise<Votes> => {
  const { nodes, topology } = server
  if (topology.kind !== 'sentinel') throw new RangeError('a server without sentinels')
  const { master, login } = topology
  const ask = async (sentinel: RedisNode): Promise<RedisNode> => {
    using client = await connectClient(sentinel, { ...server, login, database: 0 }, () => undefined)
    const reply = await client.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
    const [host, port] = listIn(reply, `sentinel ${nameOf(sentinel)}`)
    if (host === undefined) {
      throw unavailable(`sentinel ${nameOf(sentinel)} knows no primary named "${master}"`)
    }
    return { host, port: Number(port) }
  }
  return { answers: nodes.map(ask), master }
}

/** What more than half of the sentinels name; resolves as soon as they do. Never rejects. */
const majorityOf = async ({ answers }: Votes): Promise<RedisNode | undefined> => {
  const { promise, resolve } = Promise.withResolvers<RedisNode | undefined>()
  const votes = new Map<string, number>()
  const count = async (answer: Promise<RedisNode>): Promise<void> => {
    const node = await answer.catch(() => undefined)
    if (node === undefined) return
    const total = (votes.get(nameOf(node)) ?? 0) + 1
    votes.set(nameOf(node), total)
    if (2 * total > answers.length) resolve(node)
  }
  void Promise.all(answers.map(count)).then(() => resolve(undefined))
  return await promise
}

/** What the majority names, or, while too few answer, what most of those name that do. */
const mostNamed = async (votes: Votes): Promise<RedisNode> => {
  const named = await majorityOf(votes)
  if (named !== undefined) return named
  const settled = await Promise.allSettled(votes.answers)
  const nodes = settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const votesFor = (node: RedisNode): number =>
    nodes.filter((other) => nameOf(other) === nameOf(node)).length
  const [first] = nodes.toSorted((one, other) => votesFor(other) - votesFor(one))
  if (first !== undefined) return first
  const causes = settled.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  throw new AggregateError(causes, `no sentinel names the primary "${votes.master}"`)
}

/** A sentinel may still name a server that is a replica by now. */
const connectMaster = async (
  node: RedisNode,
  server: RedisServer,
  onEnd: (cause: unknown) => void,
): Promise<Primary> => {
  const client = await connectClient(node, server, onEnd)
  try {
    const [role] = listIn(await client.send(['ROLE']), nameOf(node))
    if (role !== 'master') throw unavailable(`${nameOf(node)} is not a primary, but: ${role}`)
    return { node, client }
  } catch (cause) {
    client[Symbol.dispose]()
    throw cause
  }
}

// One for each shard that a node might know less of than the next.
const MOST_REDIRECTS = 5

const followRedirects = async (
  server: RedisServer,
  key: string,
  onEnd: (cause: unknown) => void,
): Promise<Primary> => {
  let node = await Promise.any(server.nodes.map((seed) => ownerSaidBy(seed, server, key)))
  for (let hop = 0; hop < MOST_REDIRECTS; hop += 1) {
    const client = await connectClient(node, server, onEnd)
    try {
      const owner = await ownerOf(key, client, node)
      if (owner === undefined) return { node, client }
      client[Symbol.dispose]()
      node = owner
    } catch (cause) {
      client[Symbol.dispose]()
      throw cause
    }
  }
  throw unavailable('the nodes of the cluster redirect to one another')
}

const ownerSaidBy = async (
  seed: RedisNode,
  server: RedisServer,
  key: string,
): Promise<RedisNode> => {
  using client = await connectClient(seed, server, () => undefined)
  return (await ownerOf(key, client, seed)) ?? seed
}

/** The node that a key is moved to, or `undefined` where this one has it. */
const ownerOf = async (
  key: string,
  client: RedisClient,
  node: RedisNode,
): Promise<RedisNode | undefined> => {
  const reply = await client.send(['PTTL', key])
  if (reply.outcome === 'done') return undefined
  const [, host, port] = /^MOVED \d+ (.*):(\d+)$/.exec(reply.message) ?? []
  if (port === undefined) throw unavailable(`${nameOf(node)} refuses: ${reply.message}`)
  // Where nodes announce no name, it is the host of this node.
  return { host: host === '' || host === undefined ? node.host : host, port: Number(port) }
}

const listIn = (reply: Reply, name: string): readonly (string | undefined)[] => {
  if (reply.outcome === 'refused') throw unavailable(`${name} refuses: ${reply.message}`)
  return Array.isArray(reply.value) ? reply.value.map(String) : []
}

const unavailable = (message: string) => new CountersignError('unavailable', message)
