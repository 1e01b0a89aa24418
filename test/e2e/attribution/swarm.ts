// Many callers at once over few connections, and for each request which certificate the upstream saw.

import type { ClientHttp2Session } from 'node:http2'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { SeenRequest } from '../../servers/certificate-upstream.ts'
import { connectionTo, http2On, openHttp2, type Target } from '../../servers/client.ts'
import { basic, HOST } from '../certificate-site.ts'

/** What a swarm came to. */
export interface Tally {
  /** Requests by status. */
  readonly statuses: ReadonlyMap<number, number>
  /** Requests whose certificate named another caller. */
  readonly misattributed: number
}

/** What to send. */
export interface Swarm {
  readonly users: readonly string[]
  /** Requests of each user. */
  readonly requests: number
  readonly concurrency: number
  readonly version: 'http1' | 'http2'
}

type Send = (user: string) => Promise<{ readonly status: number; readonly body: string }>

/** Sends everything, users mixed, and counts. */
export const release = async (target: Target, swarm: Swarm): Promise<Tally> => {
  await using stack = new AsyncDisposableStack()
  const send = await (swarm.version === 'http2' ? overHttp2 : overHttp1)(target, swarm, stack)
  // Round robin: neighbours in time are different users, all of them on the same connections.
  const order = Array.from({ length: swarm.requests }, () => swarm.users).flat()
  const statuses = new Map<number, number>()
  let misattributed = 0
  const worker = async (): Promise<void> => {
    for (let user = order.pop(); user !== undefined; user = order.pop()) {
      const { status, body } = await send(user)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 200 && commonNameOf(body) !== user) misattributed += 1
    }
  }
  await Promise.all(Array.from({ length: swarm.concurrency }, worker))
  return { statuses, misattributed }
}

const CONNECTIONS = 8

const overHttp2 = async (
  target: Target,
  _swarm: Swarm,
  stack: AsyncDisposableStack,
): Promise<Send> => {
  const sessions: ClientHttp2Session[] = []
  for (let count = 0; count < CONNECTIONS; count++) {
    const session = await openHttp2(target)
    stack.defer(() => session.destroy())
    sessions.push(session)
  }
  let turn = 0
  return async (user) => {
    const session = sessions[turn++ % sessions.length]
    if (session === undefined) throw new Error('no connection')
    return await http2On(session, { host: HOST, headers: [basic(user)] })
  }
}

const overHttp1 = async (
  target: Target,
  { concurrency }: Swarm,
  stack: AsyncDisposableStack,
): Promise<Send> => {
  const connection = await connectionTo(target)
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, ...connection })
  stack.defer(() => agent.destroy())
  return async (user) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
    request({ ...connection, agent, headers: [['Host', HOST], basic(user)].flat() }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
      .once('error', reject)
      .end()
    return await promise
  }
}

const commonNameOf = (body: string): string => {
  const { subject }: SeenRequest = JSON.parse(body)
  return /^CN=([^,]*)/.exec(subject)?.[1] ?? ''
}
