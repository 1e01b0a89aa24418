// Many live identities at once, each with a certificate and a connection of its own: whether everyone
// is still taken for themselves, and what each of them takes of memory.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Envoy } from '../../test/servers/envoy.ts'
import { loadResultSchema } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { exchanges, httpEncoder } from '../requests.ts'
import { prepare } from '../row.ts'
import { userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { residentOf } from '../usage.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { CERTIFICATE_ROUTE, startSite, type AuthzSite, type EnvoySite } from './site.ts'

/** What many live identities came to. */
export interface LiveCost {
  readonly identities: number
  /** Why there are fewer than requested. */
  readonly reduced: string | undefined
  /** Seconds for one request of each: with a new certificate, and on the connection that is there. */
  readonly seconds: { readonly first: number; readonly second: number }
  /** Answers with a certificate that was not the caller's: always 0, since one ends the bench. */
  readonly misattributed: 0
  /** As Envoy counts them when all identities have been there twice. */
  readonly connections: number
  readonly streams: number
  readonly memory: Memory
  /** The same when garbage has been collected; Envoy has none. */
  readonly collected: Memory
  /** When Envoy has closed the connections, which were idle; the certificates are still there. */
  readonly idle: { readonly connections: number; readonly memory: Memory } | undefined
}

/** What memory has grown by, in bytes for each identity. */
export interface Memory {
  /** Resident. */
  readonly authz: number
  readonly signer: number
  readonly envoy: number
  /** What Envoy has allocated and not freed: its allocator gives little back to the system. */
  readonly envoyHeap: number
}

/** Measures it, in processes of its own. */
export const measureLive = async (installation: Installation, size: Size): Promise<LiveCost> => {
  const { liveWarmUp, concurrency, untilIdle } = size
  const { identities, reduced } = within(descriptorLimit(), size.liveIdentities)
  const users = userNames(liveWarmUp + identities)
  const options = { name: 'live', users, nodeOptions: ['--expose-gc'], inside: true }
  const site = await startSite(installation, options)
  const running = await site.startEnvoy()
  const { envoy } = running
  await using load = new Worker('http-load', LOAD_OPTIONS, [site.pki.ca])
  const port = await envoy.port()
  const sent = exchanges(users.length, users, httpEncoder(CERTIFICATE_ROUTE), site.expectationOf)
  const run = async (target: string, requests: number): Promise<number> => {
    const question = { do: 'run', target, requests, concurrency }
    return (await load.ask(question, loadResultSchema)).seconds
  }
  await prepare(load, 'warm-up', port, concurrency, sent.slice(0, liveWarmUp))
  await run('warm-up', liveWarmUp)
  const collect = (): Promise<Memory> => collectedMemory(site, running)
  const before = await collect()
  const grown = (now: Memory): Memory => growthOf(before, now, identities)
  await prepare(load, 'live', port, concurrency, sent.slice(liveWarmUp))
  return {
    identities,
    reduced,
    // In this order: what is measured depends on what was done before.
    seconds: { first: await run('live', identities), second: await run('live', identities) },
    misattributed: 0,
    connections: await countOf(envoy, CONNECTIONS),
    streams: await countOf(envoy, STREAMS),
    memory: grown(await memoryOf(running)),
    collected: grown(await collect()),
    idle: untilIdle
      ? { connections: await idleConnections(envoy), memory: grown(await collect()) }
      : undefined,
  }
}

const memoryOf = async ({ envoy, pids }: EnvoySite): Promise<Memory> => ({
  authz: residentOf(pids.authz),
  signer: residentOf(pids.signer),
  envoy: residentOf(pids.envoy),
  envoyHeap: await countOf(envoy, 'server.memory_allocated'),
})

const collectedMemory = async (site: AuthzSite, running: EnvoySite): Promise<Memory> => {
  const workers = [site.authz, running.signer]
  await Promise.all(workers.map((worker) => worker.ask({ do: 'collect' }, z.number())))
  return await memoryOf(running)
}

const growthOf = (before: Memory, now: Memory, identities: number): Memory => ({
  authz: (now.authz - before.authz) / identities,
  signer: (now.signer - before.signer) / identities,
  envoy: (now.envoy - before.envoy) / identities,
  envoyHeap: (now.envoyHeap - before.envoyHeap) / identities,
})

// Sockets that are not connections to the upstream, in whichever process has most of them.
const OTHER_DESCRIPTORS = 1_000

/** Envoy and the upstream have a descriptor for each identity. */
const within = (limit: number, wanted: number): Pick<LiveCost, 'identities' | 'reduced'> => {
  const identities = Math.min(wanted, limit - OTHER_DESCRIPTORS)
  if (identities <= 0) throw new Error(`${limit} file descriptors are too few (ulimit -Hn)`)
  return {
    identities,
    reduced:
      identities < wanted
        ? `no more than ${limit} file descriptors in a process (ulimit -Hn)`
        : undefined,
  }
}

/** Node raises its own soft limit to the hard one, and its child processes inherit that. */
const descriptorLimit = (): number => {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const most = /^Max open files +(\S+)/m.exec(limits)?.[1]
  return most === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(most)
}

// Envoy writes `_` for `:` in the names of statistics.
const CONNECTIONS = 'cluster.api_certificate.upstream_cx_active'
const STREAMS = 'cluster.countersign_signer.upstream_rq_active'

const countOf = async (envoy: Envoy, name: string): Promise<number> => {
  const text = await envoy.admin(`/stats?filter=${encodeURIComponent(`^${name}$`)}`)
  const value = new RegExp(`^${RegExp.escape(name)}: (\\d+)$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`Envoy has no ${name}, but: ${text}`)
  return Number(value)
}

const POLL_MS = 1_000
// The bootstrap closes what has been idle for 60 s.
const IDLE_LIMIT_MS = 90_000

/** Waits until Envoy has closed what was idle; gives what is left. */
const idleConnections = async (envoy: Envoy): Promise<number> => {
  const end = performance.now() + IDLE_LIMIT_MS
  for (;;) {
    const left = await countOf(envoy, CONNECTIONS)
    if (left === 0 || performance.now() >= end) return left
    await sleep(POLL_MS)
  }
}
