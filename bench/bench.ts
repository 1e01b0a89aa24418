// `npm run bench`: what a check and a certificate cost, next to a floor that does nothing, measured the same way each
// time. Every answer is checked; a wrong one ends the bench with status 1.

import { writeFile } from 'node:fs/promises'
import { describeError } from '../src/runtime/errors.ts'
import { skipWithoutEnvoy } from '../test/servers/envoy.ts'
import { measureChecks, profiledCheck } from './checks/checks.ts'
import { measureCertificates } from './certificates/certificates.ts'
import { credentialRows, measureCredentials } from './credentials/credentials.ts'
import { measureHostile } from './hostile/hostile.ts'
import { Installation } from './installation.ts'
import { measureMemory } from './memory.ts'
import { measurePolicies } from './policy/policy.ts'
import { parseOptions, USAGE, type Options, type Part } from './options.ts'
import { profileRow } from './profile.ts'
import { toJson, toTable } from './report.ts'
import { settle } from './rounds.ts'
import type { Row } from './row.ts'
import { measureReloads } from './reloads/reloads.ts'
import { measureSessions } from './sessions/sessions.ts'
import { measureProcesses } from './side-by-side.ts'
import type { Size } from './size.ts'
import { measureTokens } from './tokens/tokens.ts'
import type { Worker } from './worker.ts'

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const bench = async ({ size, json, only, peers, scenario }: Options): Promise<void> => {
  const withoutEnvoy = skipWithoutEnvoy()
  const wanted = (part: Part): boolean => only === undefined || only === part
  const checks = { size, peers, scenario, withoutEnvoy }
  const results = {
    size,
    checks: wanted('checks') ? await measureChecks(checks, progress) : undefined,
    processes: wanted('processes') ? await measureProcesses(size, progress) : undefined,
    reloads: wanted('reloads') ? await measureReloads(size, progress) : undefined,
    credentials: wanted('credentials') ? await measureCredentials(size, progress) : undefined,
    tokens: wanted('tokens') ? await measureTokens(size, progress) : undefined,
    sessions: wanted('sessions') ? await measureSessions(size, progress) : undefined,
    certificates: wanted('certificates')
      ? await measureCertificates(size, withoutEnvoy === false, progress)
      : undefined,
    policy: wanted('policy') ? await measurePolicies(size, progress) : undefined,
    memory: wanted('memory') ? await measureMemory(size, progress) : undefined,
    hostile: wanted('hostile')
      ? await measureHostile(size.hostile, withoutEnvoy, progress)
      : undefined,
  }
  progress('')
  console.log(toTable(results))
  if (json !== undefined) await writeFile(json, toJson(results))
}

const profile = async ({ size: wanted, seconds, only }: Options): Promise<void> => {
  await using installation = await Installation.open()
  const size = { ...wanted, rounds: 1 }
  const { rows, authz } =
    only === 'credentials'
      ? await knownCredentials(installation, size)
      : await profiledCheck(installation, size)
  const settled = await settle(rows, size, seconds)
  for (const row of settled) {
    console.log(await profileRow(row, authz))
  }
}

/** What can be profiled: rows, and the process that answers them. */
interface Profiled {
  readonly rows: readonly Row[]
  readonly authz: Worker
}

const knownCredentials = async (installation: Installation, size: Size): Promise<Profiled> => {
  const { known, authz } = await credentialRows(installation, size, progress)
  return { rows: known, authz }
}

const main = async (): Promise<void> => {
  if (process.platform !== 'linux') {
    throw new Error('the bench runs on Linux only: it reads CPU times and memory from /proc')
  }
  const options = optionsOrUsage()
  if (options === undefined) process.exitCode = 1
  else await (options.profile ? profile(options) : bench(options))
}

const optionsOrUsage = (): Options | undefined => {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (cause) {
    console.error(`bench: ${describeError(cause)}\n\n${USAGE}`)
    return undefined
  }
}

// Envoys end with this process, but not when a signal ends it before its `exit` event.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(status))
}

try {
  await main()
} catch (cause) {
  progress('')
  console.error(`bench: ${describeError(cause)}`)
  process.exitCode = 1
}
