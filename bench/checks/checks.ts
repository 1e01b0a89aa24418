// The first part of the bench: what a check costs, next to servers that do nothing, or the same. The servers run
// side by side and take turns.

import { issue } from '../credentials/tokens.ts'
import { Installation } from '../installation.ts'
import { measureInRounds, settle, type Summary } from '../rounds.ts'
import type { Row } from '../row.ts'
import { userNames } from '../site.ts'
import type { Size } from '../size.ts'
import type { Service } from '../service.ts'
import { agedCountersign } from './aged.ts'
import { COUNTERSIGN, countersign, countersignOnGrpcJs, startCountersign } from './countersign.ts'
import { directRows, freshTokens, rowName, SCENARIOS } from './direct.ts'
import {
  builtInNoOp,
  FLOORS,
  grpcGoNoOp,
  grpcGoSameAnswer,
  grpcGoVerifier,
  grpcJsNoOp,
} from './floors.ts'
import { heimdall, opaEnvoy } from './peers.ts'
import type { CheckServer, MissingServer, StartServer } from './server.ts'
import { envoyRows } from './through-envoy.ts'

/** What checks cost. */
export interface CheckResults {
  readonly rows: readonly Summary[]
  readonly missing: readonly MissingServer[]
}

/** Which servers take part, and where. */
export interface CheckOptions {
  readonly size: Size
  /** Whether servers of other projects are built and take part. */
  readonly peers: boolean
  /** Only these scenarios: a part of their name. */
  readonly scenario: string | undefined
  /** Why there is no Envoy; `false` where there is one. */
  readonly withoutEnvoy: string | false
}

// What a no-op has no answer for is compared with what it does otherwise.
const FLOOR_SCENARIO: Readonly<Record<string, string>> = {
  [SCENARIOS.deny]: SCENARIOS.same,
  [SCENARIOS.cold]: SCENARIOS.many,
}

const OWN: readonly StartServer[] = [
  builtInNoOp,
  grpcJsNoOp,
  grpcGoNoOp,
  grpcGoSameAnswer,
  grpcGoVerifier,
  countersign,
  countersignOnGrpcJs,
  agedCountersign,
]
const PEERS: readonly StartServer[] = [heimdall, opaEnvoy]

/** Measures everything. */
export const measureChecks = async (
  options: CheckOptions,
  progress: (text: string) => void,
): Promise<CheckResults> => {
  await using installation = await Installation.open()
  const { rows, missing } = await checkRows(installation, options, progress)
  progress('checks: warming up')
  const settled = await settle(rows, options.size, undefined)
  const floor = floorFor(missing)
  const summaries = await measureInRounds(
    settled,
    ({ name }) => rowName(FLOOR_SCENARIO[scenarioOf(name)] ?? scenarioOf(name), floor),
    options.size.rounds,
    progress,
  )
  return { rows: summaries, missing }
}

interface CheckRows {
  readonly rows: readonly Row[]
  readonly missing: readonly MissingServer[]
}

/** Starts the servers and prepares the rows. */
const checkRows = async (
  installation: Installation,
  { size, peers, scenario, withoutEnvoy }: CheckOptions,
  progress: (text: string) => void,
): Promise<CheckRows> => {
  progress('checks: tokens')
  const fresh = freshTokens(size)
  const everyone = userNames(size.tokens + fresh)
  const users = { known: everyone.slice(0, size.tokens), fresh: everyone.slice(size.tokens) }
  const issued = await issue(installation, 'ES256', everyone)
  const servers: CheckServer[] = []
  const missing: MissingServer[] = []
  for (const start of [...OWN, ...(peers ? PEERS : [])]) {
    progress(`checks: starting server ${servers.length + missing.length + 1}`)
    const started = await start(installation, issued)
    if ('reason' in started) missing.push(started)
    else servers.push(started)
  }
  const direct = await directRows(installation, servers, { issued, users, size })
  const viaEnvoy =
    withoutEnvoy === false
      ? await envoyRows(installation, servers, { issued, users: users.known, size })
      : []
  if (withoutEnvoy !== false) missing.push({ name: 'through Envoy', reason: withoutEnvoy })
  const rows = [...direct, ...viaEnvoy].filter(
    ({ name }) => scenario === undefined || scenarioOf(name).includes(scenario),
  )
  return { rows, missing }
}

/** The scenario in the name of a row. */
export const scenarioOf = (row: string): string => row.split(': ')[0] ?? ''

/** The server in the name of a row. */
export const serverOf = (row: string): string => row.split(': ').slice(1).join(': ')

/** What ratios are to: grpc-go where there is one. */
export const floorFor = (missing: readonly MissingServer[]): string =>
  missing.some(({ name }) => name === FLOORS.grpcGo) ? FLOORS.grpcJs : FLOORS.grpcGo

/** The row that `--profile` looks into, and the process that answers it. */
export const profiledCheck = async (
  installation: Installation,
  size: Size,
): Promise<{ readonly rows: readonly Row[]; readonly authz: Service }> => {
  const [user = ''] = userNames(1)
  const issued = await issue(installation, 'ES256', [user])
  const server = await startCountersign(installation, issued, {
    name: COUNTERSIGN,
    file: 'countersign',
    inside: true,
  })
  const users = { known: [user], fresh: [] }
  const rows = await directRows(installation, [server], { issued, users, size })
  const requests = size.requests
  return {
    rows: rows
      .filter(({ name }) => scenarioOf(name) === SCENARIOS.same)
      .map((row) => ({ ...row, requests })),
    authz: server.worker,
  }
}
