// One kind of hostile client, and what a well-behaved user notices of it.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { loadResultSchema, type LoadResult } from '../expectation.ts'
import { cpuOf } from '../usage.ts'
import type { HeldKind, RequestKind, SentRequest } from './kinds.ts'
import { leftSince, lookAt, type Left } from './left.ts'
import { BY_ENVOY, hostileAnswersSchema, type HostileAnswers } from './question.ts'
import { USER, type HostileSite } from './site.ts'

/** How much is sent. */
export interface HostileSize {
  /** For how long each kind is sent. */
  readonly seconds: number
  readonly perSecond: number
  /** Connections that are held. */
  readonly connections: number
}

/** What one kind comes to. */
export interface HostileCost {
  readonly name: string
  /** Requests, or connections. */
  readonly sent: number
  readonly answers: HostileAnswers
  /** CPU time of authz for each that Envoy let through, in µs; of Envoy for each. */
  readonly cpu: number
  readonly envoyCpu: number
  /** For each that was sent. */
  readonly stateBytes: number
  readonly auditBytes: number
  /** When the last of it ends; 0 where nothing is left. */
  readonly stateSeconds: number
  /** Of the user meanwhile, in ms. */
  readonly p50: number
  readonly p99: number
}

/** What the user's own requests cost, without other load. */
export interface Alone extends Pick<LoadResult, 'p50' | 'p99'> {
  /** CPU time of authz and of Envoy for each request, in µs. */
  readonly cpu: number
  readonly envoyCpu: number
  /** Bytes of audit for each request. */
  readonly auditBytes: number
}

const USER_PER_SECOND = 50

/** The user's requests for so long. */
const beUser = async ({ user }: HostileSite, seconds: number): Promise<LoadResult> =>
  await user.ask(
    { do: 'pace', target: USER, requests: userRequests(seconds), perSecond: USER_PER_SECOND },
    loadResultSchema,
  )

const userRequests = (seconds: number): number => Math.ceil(seconds * USER_PER_SECOND)

/** Measures the user alone. */
export const measureAlone = async (site: HostileSite, seconds: number): Promise<Alone> => {
  await beUser(site, seconds)
  const left = lookAt(site.files)
  const before = usageOf(site)
  const { p50, p99 } = await beUser(site, seconds)
  const after = usageOf(site)
  const each = userRequests(seconds)
  return {
    p50,
    p99,
    cpu: (after.authz - before.authz) / each,
    envoyCpu: (after.envoy - before.envoy) / each,
    auditBytes: leftSince(left, lookAt(site.files)).auditBytes / each,
  }
}

const usageOf = ({ authz, envoy }: HostileSite) => ({
  authz: cpuOf(authz.pid),
  envoy: cpuOf(envoy.pid),
})

/** Measures a kind that sends requests, from an address of its own. */
export const measureRequests = async (
  site: HostileSite,
  { name, request }: RequestKind,
  { seconds, perSecond }: HostileSize,
  from: string,
  alone: Alone,
): Promise<HostileCost> => {
  const { hostile, port } = site
  const send = async (count: number): Promise<HostileAnswers> =>
    await hostile.ask(
      {
        do: 'run',
        port,
        from,
        perSecond,
        requests: Array.from({ length: count }, (_, index) => request(index)),
      },
      hostileAnswersSchema,
    )
  const sent = Math.ceil(seconds * perSecond)
  // A process compiles what it has not done before.
  await send(Math.ceil(sent / 4))
  return await measureWhile(site, { name, sent, seconds, alone }, async () => await send(sent))
}

/** Measures a kind of request that begins and does not continue. */
export const measureHeld = async (
  site: HostileSite,
  { name, begun }: HeldKind,
  { seconds, connections }: HostileSize,
  from: string,
  alone: Alone,
): Promise<HostileCost> => {
  const { hostile, port } = site
  const bytes = begun === undefined ? '' : headOf(begun)
  return await measureWhile(site, { name, sent: connections, seconds, alone }, async () => {
    await hostile.ask({ do: 'hold', port, from, count: connections, bytes }, z.undefined())
    await sleep(seconds * 1_000)
    return await hostile.ask({ do: 'release' }, hostileAnswersSchema)
  })
}

/** The head of a request over HTTP/1.1, and the first byte of its body. */
const headOf = ({ headers }: SentRequest): string => {
  const { ':method': method, ':path': path, ':authority': host, ':scheme': _, ...rest } = headers
  const lines = Object.entries(rest).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  return `${String(method)} ${String(path)} HTTP/1.1\r\nhost: ${String(host)}\r\n${lines.join('')}\r\nx`
}

/** What authz has not seen. */
const refusedByEnvoy = (answers: HostileAnswers): number =>
  Object.entries(answers)
    .filter(([status]) => status.startsWith(BY_ENVOY) || status === 'reset')
    .reduce((sum, [, count]) => sum + count, 0)

const measureWhile = async (
  site: HostileSite,
  {
    name,
    sent,
    seconds,
    alone,
  }: {
    readonly name: string
    readonly sent: number
    readonly seconds: number
    readonly alone: Alone
  },
  attack: () => Promise<HostileAnswers>,
): Promise<HostileCost> => {
  const left: Left = lookAt(site.files)
  const before = usageOf(site)
  const [answers, { p50, p99 }] = await Promise.all([attack(), beUser(site, seconds)])
  const after = usageOf(site)
  const { auditBytes, stateBytes, stateSeconds } = leftSince(left, lookAt(site.files))
  const ofUser = userRequests(seconds)
  const passed = Math.max(1, sent - refusedByEnvoy(answers))
  return {
    name,
    sent,
    answers,
    cpu: Math.max(0, after.authz - before.authz - ofUser * alone.cpu) / passed,
    envoyCpu: Math.max(0, after.envoy - before.envoy - ofUser * alone.envoyCpu) / sent,
    stateBytes: stateBytes / sent,
    auditBytes: Math.max(0, auditBytes - ofUser * alone.auditBytes) / sent,
    stateSeconds,
    p50,
    p99,
  }
}
