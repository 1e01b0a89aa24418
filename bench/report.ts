// The results, as readable text and as JSON.

import { arch, availableParallelism, cpus, loadavg } from 'node:os'
import type { CertificateResults } from './certificates/certificates.ts'
import { certificateTables } from './certificates/report.ts'
import type { CredentialCosts } from './credentials/credentials.ts'
import type { HostileResults } from './hostile/hostile.ts'
import { hostileTable } from './hostile/report.ts'
import type { MemoryCost } from './memory.ts'
import type { PolicyCost } from './policy/policy.ts'
import { policyTable } from './policy/report.ts'
import type { Summary } from './rounds.ts'
import { sessionsTable } from './sessions/report.ts'
import type { SessionCosts } from './sessions/sessions.ts'
import type { Size } from './size.ts'
import { rowsTable } from './table.ts'
import { tokensTable } from './tokens/report.ts'
import type { TokenCosts } from './tokens/tokens.ts'

/** Everything that a run of the bench finds out. */
export interface Results {
  readonly size: Size
  readonly checks: CheckResults | undefined
  readonly credentials: CredentialCosts | undefined
  readonly tokens: TokenCosts | undefined
  readonly sessions: SessionCosts | undefined
  readonly certificates: CertificateResults | undefined
  readonly policy: readonly PolicyCost[] | undefined
  readonly hostile: HostileResults | undefined
}

/** What checks cost. */
export interface CheckResults {
  readonly rows: readonly Summary[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  readonly memory: MemoryCost
}

const machine = (): object => ({
  node: process.version,
  arch: arch(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  // Above 1 for each core, something else was at work too.
  load: loadavg()[0],
})

/** JSON; what a row does not have is null. Times in ms, CPU in µs, memory in bytes. */
export const toJson = ({ size, checks, ...parts }: Results): string => {
  const results = {
    date: new Date().toISOString(),
    machine: machine(),
    size,
    ...checks,
    ...parts,
  }
  return `${JSON.stringify(results, null, 2)}\n`
}

/** The tables, with what their columns mean. */
export const toTable = ({ size, checks, credentials, tokens, ...parts }: Results): string =>
  [
    JSON.stringify(machine()),
    ...(checks === undefined ? [] : ['', checksTable(checks)]),
    ...(credentials === undefined ? [] : ['', credentialsTable(credentials)]),
    ...(tokens === undefined ? [] : ['', tokensTable(tokens)]),
    ...(parts.sessions === undefined ? [] : ['', sessionsTable(parts.sessions)]),
    ...(parts.certificates === undefined ? [] : ['', certificateTables(parts.certificates)]),
    ...(parts.policy === undefined ? [] : ['', policyTable(parts.policy)]),
    ...(parts.hostile === undefined ? [] : ['', hostileTable(parts.hostile)]),
    '',
    ...legend(size),
  ].join('\n')

const checksTable = ({ rows, skipped, memory }: CheckResults): string =>
  [
    rowsTable(rows, '× floor'),
    ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`),
    '',
    `Memory for each remembered identity: ${memory.heap.toFixed(0)} bytes of heap (${memory.identities} users)`,
  ].join('\n')

const credentialsTable = ({ rows, skipped }: CredentialCosts): string =>
  [
    'Credentials: a check with each, known and proven anew (four groups, three rules, headers)',
    '',
    rowsTable(rows, '× anonymous'),
    ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`),
  ].join('\n')

const legend = ({ rounds, pairedRounds, concurrency }: Size): readonly string[] => [
  `Medians of ${rounds} rounds, of ${pairedRounds} for certificates. Latency with ${concurrency} requests at a time (argon2id: one) as`,
  'fast as they are answered; alone: median with one at a time. CPU µs and RSS: the process that answers',
  'checks, for each request; × floor, × anonymous, × headers, × JWT: its CPU divided by that of the first row, of',
  'the row with headers, in the same round. Envoy: one worker, TLS to caller and upstream.',
]
