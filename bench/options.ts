// The command line of the bench.

import { parseArgs } from 'node:util'
import { QUICK, USUAL, type Size } from './size.ts'

const PARTS = [
  'start',
  'checks',
  'processes',
  'reloads',
  'aging',
  'credentials',
  'tokens',
  'sessions',
  'tracing',
  'certificates',
  'policy',
  'memory',
  'hostile',
] as const

/** A part of the bench. */
export type Part = (typeof PARTS)[number]

/** The options of the command line. */
export interface Options {
  readonly size: Size
  /** For each row in all rounds, instead of a number of requests. */
  readonly seconds: number | undefined
  readonly json: string | undefined
  /** Whether the results are kept in bench/results. */
  readonly save: boolean
  /** Whether the report is written of what is kept, and nothing is measured. */
  readonly report: boolean
  /** Whether {@link USAGE} is all that is wanted. */
  readonly help: boolean
  readonly profile: boolean
  /** Whether services run from the source. */
  readonly source: boolean
  /** The part that is measured; all by default. */
  readonly only: Part | undefined
  /** A part of the names of the scenarios of `checks` that are measured; all by default. */
  readonly scenario: string | undefined
  /** Whether servers of other projects take part. */
  readonly peers: boolean
}

/** How to call it. */
export const USAGE = `npm run bench -- [options]

  --only PART       measures one part: ${PARTS.join(', ')}
  --scenario TEXT   of checks only the scenarios with TEXT in their name
  --peers           checks also by heimdall and OPA-Envoy, which Go builds
  --age SECONDS     measures only a process that works for so long with 100 reloads, next to a fresh one
  --source          runs the source, in place of the bundle that users install
  --rounds N        rounds over all rows; medians are shown
  --seconds N       how long each round of a row of checks takes
  --requests N      requests in each round of a row of the other parts
  --concurrency N   requests at a time in those
  --json FILE       also writes the results as JSON
  --save            also keeps the results in bench/results, under the date
  --report          writes bench/RESULTS.md and its plots of the latest results that are kept
  --quick           two minutes at most: shows that it works, and holds ratios to their bounds
  --profile         shows where the time of a known check goes, and measures nothing else; with
                    --only credentials, of a check with each known credential
`

const partOf = (value: string | undefined): Part | undefined => {
  const part = PARTS.find((candidate) => candidate === value)
  if (value !== undefined && part === undefined) {
    throw new Error(`--only wants one of ${PARTS.join(', ')}`)
  }
  return part
}

/** Reads the arguments; throws with a message for the user. */
export const parseOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string' },
      seconds: { type: 'string' },
      age: { type: 'string' },
      source: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      concurrency: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      save: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      peers: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const usual = values.quick ? QUICK : USUAL
  const seconds = positive('--seconds', values.seconds)
  const age = positive('--age', values.age)
  const requests = positive('--requests', values.requests)
  return {
    size: {
      ...usual,
      rounds: positive('--rounds', values.rounds) ?? usual.rounds,
      concurrency: positive('--concurrency', values.concurrency) ?? usual.concurrency,
      requests: requests ?? usual.requests,
      scenarioSeconds: seconds ?? usual.scenarioSeconds,
      pacedSeconds: seconds ?? usual.pacedSeconds,
      aging: { ...usual.aging, seconds: age ?? usual.aging.seconds },
    },
    scenario: values.scenario,
    peers: values.peers,
    seconds,
    json: values.json,
    save: values.save,
    report: values.report,
    help: values.help,
    profile: values.profile,
    only: age === undefined ? partOf(values.only) : 'aging',
    source: values.source,
  }
}

const positive = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} must be a whole number above 0`)
  return Number(text)
}
