// What traces cost a check by a known token: without `tracing`, with it but nothing sampled, one in a hundred, and all up to
// the limit of a second. And what the audit log costs: next to a file, a device that keeps nothing.

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { stringify } from 'yaml'
import { issue } from '../credentials/tokens.ts'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { measureInRounds, settle, type Summary } from '../rounds.ts'
import { prepare, type Row } from '../row.ts'
import { GROUPS, HEADERS_ROUTE, RULES, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'

/** What traces cost. */
export interface TracingCosts {
  readonly rows: readonly Summary[]
}

const OFF = 'no tracing'

interface Kind {
  readonly name: string
  /** `sampling` and `maxPerSecond`; absent: no `tracing`. */
  readonly tracing?: { readonly sampling: number; readonly maxPerSecond?: number }
  /** Default: a file. */
  readonly audit?: string
}

const KINDS: readonly Kind[] = [
  { name: OFF },
  { name: 'nothing sampled', tracing: { sampling: 0 } },
  { name: '1 %', tracing: { sampling: 0.01 } },
  { name: 'all, at most 100/s', tracing: { sampling: 1 } },
  { name: 'all, at most 10,000/s', tracing: { sampling: 1, maxPerSecond: 10_000 } },
  { name: 'no tracing, audit to /dev/null', audit: '/dev/null' },
]

const USERS = 32
const VARIETY = 320
const PER_SECOND = 1_000

const SATURATED = 'saturated'
const PACED = '1,000/s'

/** Measures every kind, saturated and at a fixed rate. */
export const measureTracing = async (
  size: Size,
  progress: (text: string) => void,
): Promise<TracingCosts> => {
  await using installation = await Installation.open()
  progress('tracing: starting')
  const rows = await rowsOf(installation, await startCollector(installation), size)
  progress('tracing: warming up')
  const settled = await settle(rows, size, undefined)
  const floor = ({ name }: Row): string => `${name.split(': ')[0]}: ${OFF}`
  return { rows: await measureInRounds(settled, floor, size.rounds, progress) }
}

const rowsOf = async (
  installation: Installation,
  collector: string,
  { inFlight, scenarioSeconds, pacedSeconds }: Size,
): Promise<readonly Row[]> => {
  const users = userNames(USERS)
  const { tokens, authenticator } = await issue(installation, 'ES256', users)
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const sent = exchanges(
    VARIETY,
    users,
    checkEncoder(HEADERS_ROUTE),
    (user) => ({ outcome: 'allow', user, groups: GROUPS }),
    (user) => ({ headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] }),
  )
  const rows: Row[] = []
  for (const [index, kind] of KINDS.entries()) {
    const config = installation.file(`tracing-${index}.yaml`)
    const socket = installation.file(`t-${index}.sock`)
    await writeFile(config, stringify(configuration(kind, socket, authenticator('1h'), collector)))
    const authz = await installation.service({ command: 'authz', config })
    const common = { load, alone: false, concurrency: inFlight, envoy: undefined }
    const target = { ...common, target: kind.name, authorizers: [authz.pid] }
    await prepare(load, kind.name, socket, 1, sent)
    const saturated = { requests: Number.MAX_SAFE_INTEGER, seconds: scenarioSeconds }
    const paced = { requests: Math.ceil(PER_SECOND * pacedSeconds), perSecond: PER_SECOND }
    rows.push(
      { ...target, ...saturated, name: `${SATURATED}: ${kind.name}` },
      { ...target, ...paced, name: `${PACED}: ${kind.name}` },
    )
  }
  return rows
}

/** A collector that takes everything and keeps nothing; its URL. */
const startCollector = async (installation: Installation): Promise<string> => {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  installation.use({
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not on a port')
  return `http://127.0.0.1:${address.port}/v1/traces`
}

const configuration = (
  { tracing, audit }: Kind,
  socket: string,
  tokens: object,
  endpoint: string,
): object => ({
  version: 1,
  listen: { authz: `unix:${socket}` },
  ...(tracing === undefined ? {} : { tracing: { otlp: { endpoint }, ...tracing } }),
  authenticators: { tokens },
  routes: [
    {
      name: HEADERS_ROUTE.name,
      match: { hosts: [HEADERS_ROUTE.host] },
      authenticate: ['tokens'],
      authorize: RULES,
      forward: { headers: 'kubernetes' },
    },
  ],
  audit: { file: audit ?? `${socket}.jsonl` },
  log: { level: 'warn' },
})
