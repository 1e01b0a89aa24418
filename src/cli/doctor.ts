// `countersign doctor`: queries every server that a configuration names: whether it can be used as configured.

import { Command, Option } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { durationSchema } from '../config/values.ts'
import { readConfig } from '../configuration/parse.ts'
import { systemClock } from '../runtime/clock.ts'
import { examineSite } from '../tools/doctor/doctor.ts'
import type { Finding, Outcome } from '../tools/doctor/examination.ts'
import type { CommandContext } from './context.ts'
import { paintFor, type Paint } from './colour.ts'
import { counted } from './format.ts'
import { configOption, parsed } from './options.ts'
import { printable, printableJson } from './printable.ts'
import { startProgress } from './progress.ts'

interface Options {
  readonly config: string
  readonly timeout: number
  readonly json?: true
  readonly strict?: true
}

const DEFAULT_TIMEOUT = '5s'

const ABOUT = `
It checks: the clock, against those of the other servers; DNS; Envoy's version and running configuration; authz
and the signer; the upstreams' certificates; LDAP, RADIUS and Redis; the keys of issuers; introspection and
token endpoints; Kubernetes API servers; OCSP responders and CRLs. It logs no user in and changes nothing.
RADIUS, introspection, token endpoints and API servers receive the user or token
"countersign-doctor", which their logs will show.

Run it where authz runs, as the same user.
What needs no other server, "countersign validate" checks.`

/** The command. */
export const doctorCommand = (context: CommandContext): Command =>
  new Command('doctor')
    .description(
      'query every server of a configuration: whether it can be used as configured, and what to do where it cannot',
    )
    .addOption(configOption())
    .addOption(
      new Option('-t, --timeout <duration>', 'time limit for each server')
        .argParser((text) => parsed(durationSchema, text))
        .default(durationSchema.parse(DEFAULT_TIMEOUT), DEFAULT_TIMEOUT),
    )
    .option('--json', 'print the findings as a JSON array')
    .option('--strict', 'fail for warnings, too')
    .addHelpText('after', ABOUT)
    .action(async ({ config: file, timeout, json, strict }: Options) => {
      const { process } = context
      const files = new ConfigurationFiles()
      const { config, locate } = await readConfig(file, files)
      using progress = startProgress(context, 'querying servers')
      const findings = await examineSite(
        { config, files, locate, clock: systemClock, timeout },
        (done, all) => progress.update(`${done} of ${all}`),
      )
      progress.end()
      const paint = paintFor(process.stdout, process.env)
      process.stdout.write(
        json === true ? `${printableJson(findings, 2)}\n` : textOf(findings, paint),
      )
      const failing: readonly Outcome[] = strict === true ? ['error', 'warning'] : ['error']
      if (findings.some(({ outcome }) => failing.includes(outcome))) process.exitCode = 1
    })

const COLOURS = { ok: 'green', warning: 'yellow', error: 'red', skipped: 'grey' } as const

const textOf = (findings: readonly Finding[], paint: Paint): string => {
  const width = Math.max(...findings.map(({ area }) => area.length))
  const indent = ' '.repeat(OUTCOME_WIDTH + width + 4)
  const lines = findings.map(({ area, outcome, target, path, message, remedy }) => {
    const head = `${paint(COLOURS[outcome], outcome.padEnd(OUTCOME_WIDTH))}  ${area.padEnd(width)}`
    const place = path === '' ? '' : ` (${path})`
    const advice = remedy === undefined ? '' : `${indent}${printable(`${remedy}${place}`)}\n`
    return `${head}  ${printable(`${target}: ${message}`)}\n${advice}`
  })
  const count = (wanted: Outcome): number =>
    findings.filter(({ outcome }) => outcome === wanted).length
  const summary = `${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}, ${count('ok')} ok, ${count('skipped')} skipped.`
  return `${lines.join('')}${summary}\n`
}

const OUTCOME_WIDTH = 'skipped'.length
