// `npm run bench`: what a check and a certificate cost, next to a floor that does nothing, measured the same way each
// time. Every answer is checked; a wrong one ends the bench with status 1.

import { writeFile } from 'node:fs/promises'
import { describeError } from '../src/runtime/errors.ts'
import { skipWithoutEnvoy } from '../test/servers/envoy.ts'
import { temporaryFolder } from '../test/servers/temporary.ts'
import { measureAging } from './aging/aging.ts'
import { measureChecks, profiledCheck } from './checks/checks.ts'
import { boundedRows, boundsTable, describeBound, judge, recordedBounds } from './bounds.ts'
import { measureCertificates } from './certificates/certificates.ts'
import { credentialRows, measureCredentials } from './credentials/credentials.ts'
import { measureHostile } from './hostile/hostile.ts'
import { Installation } from './installation.ts'
import { measureMemory } from './memory.ts'
import { measurePolicies } from './policy/policy.ts'
import { parseOptions, USAGE, type Options, type Part } from './options.ts'
import { keep, latest, writeReportFile } from './reporting/files.ts'
import { reportFiles } from './reporting/report.ts'
import { useInstalledProgram } from './program.ts'
import { profileRow } from './profile.ts'
import { toJson, toTable } from './report.ts'
import { settle } from './rounds.ts'
import type { Row } from './row.ts'
import { measureReloads } from './reloads/reloads.ts'
import { measureSessions } from './sessions/sessions.ts'
import { measureStarts } from './start.ts'
import { measureProcesses } from './side-by-side.ts'
import type { Size } from './size.ts'
import { measureTracing } from './tracing/tracing.ts'
import { measureTokens } from './tokens/tokens.ts'
import type { Service } from './service.ts'

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const bench = async ({ size, json, save, only, peers, scenario }: Options): Promise<void> => {
  const withoutEnvoy = skipWithoutEnvoy()
  const seconds: Partial<Record<Part, number>> = {}
  const measured = async <T>(part: Part, measure: () => Promise<T>): Promise<T | undefined> => {
    if (only !== undefined && only !== part) return undefined
    const started = performance.now()
    const result = await measure()
    seconds[part] = Math.round((performance.now() - started) / 1_000)
    return result
  }
  const checks = { size, peers, scenario, withoutEnvoy }
  const results = {
    size,
    start: await measured('start', () => measureStarts(size, progress)),
    checks: await measured('checks', () => measureChecks(checks, progress)),
    processes: await measured('processes', () => measureProcesses(size, progress)),
    reloads: await measured('reloads', () => measureReloads(size, progress)),
    aging: await measured('aging', () => measureAging(size, progress)),
    credentials: await measured('credentials', () => measureCredentials(size, progress)),
    tokens: await measured('tokens', () => measureTokens(size, progress)),
    sessions: await measured('sessions', () => measureSessions(size, progress)),
    tracing: await measured('tracing', () => measureTracing(size, progress)),
    certificates: await measured('certificates', () =>
      measureCertificates(size, withoutEnvoy === false, progress),
    ),
    policy: await measured('policy', () => measurePolicies(size, progress)),
    memory: await measured('memory', () => measureMemory(size, progress)),
    hostile: await measured('hostile', () => measureHostile(size.hostile, withoutEnvoy, progress)),
    seconds,
  }
  progress('')
  console.log(toTable(results))
  const judged = judge(recordedBounds(), boundedRows(results))
  if (judged.some((one) => one.measured !== undefined)) console.log(`\n${boundsTable(judged)}`)
  if (json !== undefined) await writeFile(json, toJson(results))
  if (save) console.log(`\nkept in ${keep(results)}`)
  const exceeded = judged.filter((one) => one.exceeded)
  if (exceeded.length > 0)
    throw new Error(`bounds are exceeded: ${exceeded.map(describeBound).join('; ')}`)
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
  readonly authz: Service
}

const knownCredentials = async (installation: Installation, size: Size): Promise<Profiled> => {
  const { known, authz } = await credentialRows(installation, size, {
    progress,
    inside: true,
  })
  return { rows: known, authz }
}

const report = (): void => {
  for (const { path, content } of reportFiles(latest())) {
    writeReportFile(path, content)
    console.log(`bench/${path}`)
  }
}

const main = async (): Promise<void> => {
  if (process.platform !== 'linux') {
    throw new Error('the bench runs on Linux only: it reads CPU times and memory from /proc')
  }
  const options = optionsOrUsage()
  if (options === undefined) process.exitCode = 1
  else if (options.help) console.log(USAGE)
  else if (options.report) report()
  else await measureWith(options)
}

const measureWith = async (options: Options): Promise<void> => {
  await using folder = await temporaryFolder()
  if (!options.source && !options.profile) await useInstalledProgram(folder.path)
  await (options.profile ? profile(options) : bench(options))
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
