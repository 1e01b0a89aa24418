// Checks straight over gRPC, as Envoy would send them: every scenario with every server.

import type { Issued } from '../credentials/tokens.ts'
import type { Installation } from '../installation.ts'
import { checkEncoder, exchanges, type Exchange } from '../requests.ts'
import { prepare, type Row } from '../row.ts'
import { HEADERS_ROUTE } from '../site.ts'
import type { Size } from '../size.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import type { CheckServer, ForNewTokens } from './server.ts'

/** The scenarios, by name. */
export const SCENARIOS = {
  same: 'saturated, one token',
  many: 'saturated, many tokens in turn',
  pacedSame: '1,000/s, one token',
  pacedMany: '1,000/s, many tokens in turn',
  deny: 'saturated, denied by a rule',
  cold: 'saturated, every token new',
} as const

/** The name of a row: scenario and server. */
export const rowName = (scenario: string, server: string): string => `${scenario}: ${server}`

/** The tokens of each scenario, by what is issued. */
interface TokenUsers {
  /** Their tokens are used again and again. */
  readonly known: readonly string[]
  /** Each is used once. */
  readonly fresh: readonly string[]
}

// Different requests, so that nothing is fast just because it is always the same.
const VARIETY = 320
const PER_SECOND = 1_000

/** Prepares the rows of all scenarios, those of one scenario next to each other. */
export const directRows = async (
  installation: Installation,
  servers: readonly CheckServer[],
  { issued, users, size }: DirectOptions,
): Promise<readonly Row[]> => {
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const rows: Row[] = []
  for (const scenario of scenariosOf(issued, users, size)) {
    for (const server of servers) {
      if (scenario.onlyVerifiers && !server.verifies) continue
      if (server.only?.includes(scenario.name) === false) continue
      const name = rowName(scenario.name, server.name)
      const { port, pids } = scenario.receiver(server)
      await prepare(load, name, port, 1, scenario.exchangesFor(server))
      const { concurrency, requests, seconds, perSecond } = scenario
      const amount = { requests, ...(seconds === undefined ? {} : { seconds }) }
      const rate = perSecond === undefined ? {} : { perSecond }
      const common = { load, target: name, alone: false, envoy: undefined }
      rows.push({ ...common, ...amount, ...rate, name, concurrency, authorizers: pids })
    }
  }
  return rows
}

/** What the scenarios are made of. */
export interface DirectOptions {
  readonly issued: Issued
  readonly users: TokenUsers
  readonly size: Size
}

interface Scenario {
  readonly name: string
  /** A no-op has no answer for it, or the same as without it. */
  readonly onlyVerifiers: boolean
  readonly requests: number
  readonly seconds?: number
  readonly perSecond?: number
  readonly concurrency: number
  /** The process that answers it. */
  readonly receiver: (server: CheckServer) => ForNewTokens
  readonly exchangesFor: (server: CheckServer) => readonly Exchange[]
}

const scenariosOf = (
  { tokens }: Issued,
  { known, fresh }: TokenUsers,
  { inFlight, scenarioSeconds, pacedSeconds, coldTokens }: Size,
): readonly Scenario[] => {
  const sent = (
    server: CheckServer,
    users: readonly string[],
    count = Math.max(VARIETY, users.length),
  ): readonly Exchange[] =>
    exchanges(count, users, encoderFor(server), server.expectationOf, (user) =>
      bearer(tokens, user),
    )
  const first = known.slice(0, 1)
  const denied = (server: CheckServer): readonly Exchange[] =>
    deniedExchanges(server, tokens, first)
  const receiver = (server: CheckServer): ForNewTokens => server
  const saturated = {
    receiver,
    onlyVerifiers: false,
    concurrency: inFlight,
    requests: Number.MAX_SAFE_INTEGER,
    seconds: scenarioSeconds,
  }
  const paced = {
    receiver,
    onlyVerifiers: false,
    concurrency: inFlight,
    requests: Math.ceil(PER_SECOND * pacedSeconds),
    perSecond: PER_SECOND,
  }
  const ofVerifiers = { ...saturated, onlyVerifiers: true }
  const cold = {
    receiver: (server: CheckServer) => server.forNewTokens ?? server,
    onlyVerifiers: true,
    concurrency: inFlight,
    requests: coldTokens,
  }
  return [
    { ...saturated, name: SCENARIOS.same, exchangesFor: (server) => sent(server, first) },
    { ...saturated, name: SCENARIOS.many, exchangesFor: (server) => sent(server, known) },
    { ...paced, name: SCENARIOS.pacedSame, exchangesFor: (server) => sent(server, first) },
    { ...paced, name: SCENARIOS.pacedMany, exchangesFor: (server) => sent(server, known) },
    { ...ofVerifiers, name: SCENARIOS.deny, exchangesFor: denied },
    { ...cold, name: SCENARIOS.cold, exchangesFor: (server) => sent(server, fresh) },
  ]
}

const bearer = (tokens: Issued['tokens'], user: string) => ({
  headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] as const,
})

const SECRETS = ['team-a', 'team-b', 'team-c', 'team-d', 'team-e']

const secretOf = (index: number): string =>
  `/api/v1/namespaces/${SECRETS[index % SECRETS.length] ?? ''}/secrets/database`

const encoderFor = ({ rawHeaders }: CheckServer, pathFor?: (index: number) => string) =>
  checkEncoder(HEADERS_ROUTE, { rawHeaders, ...(pathFor === undefined ? {} : { pathFor }) })

const deniedExchanges = (
  server: CheckServer,
  tokens: Issued['tokens'],
  users: readonly string[],
): readonly Exchange[] =>
  exchanges(
    VARIETY,
    users,
    encoderFor(server, secretOf),
    () => ({ outcome: 'deny', status: 'Forbidden' }),
    (user) => bearer(tokens, user),
  )

/** How many tokens a run uses once: each row of new tokens has as many, each server the same. */
export const freshTokens = ({ rounds, coldTokens, warmUpRequests }: Size): number =>
  rounds * coldTokens + Math.min(coldTokens, warmUpRequests)
