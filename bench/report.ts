// The results, as readable text and as JSON.

import type { AgingCost } from './aging/aging.ts'
import { agingTable } from './aging/report.ts'
import type { CheckResults } from './checks/checks.ts'
import { checksTable } from './checks/report.ts'
import type { CertificateResults } from './certificates/certificates.ts'
import { certificateTables } from './certificates/report.ts'
import type { CredentialCosts } from './credentials/credentials.ts'
import type { HostileResults } from './hostile/hostile.ts'
import { hostileTable } from './hostile/report.ts'
import { machine } from './machine.ts'
import type { MemoryCost } from './memory.ts'
import type { PolicyCost } from './policy/policy.ts'
import { policyTable } from './policy/report.ts'
import { reloadsTable } from './reloads/report.ts'
import type { ReloadCosts } from './reloads/reloads.ts'
import type { Summary } from './rounds.ts'
import { sessionsTable } from './sessions/report.ts'
import type { SessionCosts } from './sessions/sessions.ts'
import { tracingTable } from './tracing/report.ts'
import type { TracingCosts } from './tracing/tracing.ts'
import type { Size } from './size.ts'
import { startTable, type StartCost } from './start.ts'
import { rowsTable } from './table.ts'
import { tokensTable } from './tokens/report.ts'
import type { TokenCosts } from './tokens/tokens.ts'

/** Everything that a run of the bench finds out. */
export interface Results {
  readonly size: Size
  readonly start: readonly StartCost[] | undefined
  readonly checks: CheckResults | undefined
  readonly processes: readonly Summary[] | undefined
  readonly reloads: ReloadCosts | undefined
  readonly aging: AgingCost | undefined
  readonly memory: MemoryCost | undefined
  readonly credentials: CredentialCosts | undefined
  readonly tokens: TokenCosts | undefined
  readonly sessions: SessionCosts | undefined
  readonly tracing?: TracingCosts | undefined
  readonly certificates: CertificateResults | undefined
  readonly policy: readonly PolicyCost[] | undefined
  readonly hostile: HostileResults | undefined
  /** How long each part took. */
  readonly seconds: Readonly<Record<string, number>>
}

/** JSON; what a row does not have is absent. Times in ms, CPU in µs, memory in bytes. */
export const toJson = ({ size, ...parts }: Results): string => {
  const results = { date: new Date().toISOString(), machine: machine(), size, ...parts }
  return `${JSON.stringify(results, kept, 1)}\n`
}

// More is noise.
const SIGNIFICANT_DIGITS = 5

const kept = (key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return Number(value.toPrecision(SIGNIFICANT_DIGITS))
  }
  return key === 'reason' && typeof value === 'string' ? withoutPaths(value) : value
}

/** Names of files without their folders, which are those of one machine. */
const withoutPaths = (text: string): string => text.replaceAll(/(?:\/[\w.@+-]+)+\/(?=[\w.])/g, '')

/** The tables of everything, with what their columns mean. */
export const toTable = (results: Results): string =>
  [
    JSON.stringify(machine()),
    ...(results.checks === undefined ? [] : ['', checksTable(results.checks)]),
    '',
    partTables(results),
  ].join('\n')

/** The tables of all parts but `checks`. */
export const partTables = ({ size, ...parts }: Results): string =>
  [
    ...table(parts.start, startTable),
    ...table(parts.processes, processesTable),
    ...table(parts.reloads, reloadsTable),
    ...table(parts.aging, agingTable),
    ...table(parts.memory, memoryLine),
    ...table(parts.credentials, credentialsTable),
    ...table(parts.tokens, tokensTable),
    ...table(parts.sessions, sessionsTable),
    ...table(parts.tracing, tracingTable),
    ...table(parts.certificates, certificateTables),
    ...table(parts.policy, policyTable),
    ...table(parts.hostile, hostileTable),
    ...legend(size),
    `Seconds: ${Object.entries(parts.seconds)
      .map(([part, took]) => `${part} ${took}`)
      .join(', ')}.`,
  ].join('\n')

const table = <T>(part: T | undefined, of: (part: T) => string): readonly string[] =>
  part === undefined ? [] : [of(part), '']

const processesTable = (rows: readonly Summary[]): string =>
  `Processes side by side, a connection to each\n\n${rowsTable(rows, '× one')}`

const memoryLine = ({ identities, heap }: MemoryCost): string =>
  `Memory for each remembered identity: ${heap.toFixed(0)} bytes of heap (${identities} users)`

const credentialsTable = ({ rows, skipped }: CredentialCosts): string =>
  [
    'Credentials: a check with each, known and proven anew (four groups, three rules, headers)',
    '',
    rowsTable(rows, '× anonymous'),
    ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`),
  ].join('\n')

const legend = ({ rounds, pairedRounds, concurrency, inFlight }: Size): readonly string[] => [
  `Medians of ${rounds} rounds, of ${pairedRounds} for certificates. Checks with ${inFlight} requests at a time, other parts with`,
  `${concurrency} (argon2id: one), as fast as they are answered, or on schedule: then latency counts from when a request`,
  'was due. longest: the longest wait for an answer; alone: median with one at a time. CPU µs and RSS: the processes',
  'that answer checks, for each request, user and system; load µs: the generator. × floor, × anonymous, × headers,',
  '× JWT: CPU divided by that of the first row, of the row with headers, in the same round. Envoy: one worker.',
]
