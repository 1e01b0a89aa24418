// The command line of the bench.

import { parseArgs } from 'node:util'
import { QUICK, USUAL, type Size } from './size.ts'

const PARTS = [
  'checks',
  'credentials',
  'tokens',
  'sessions',
  'certificates',
  'policy',
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
  readonly profile: boolean
  /** The part that is measured; all by default. */
  readonly only: Part | undefined
}

/** How to call it. */
export const USAGE = `npm run bench -- [options]

  --requests N      requests in each round over gRPC (through Envoy: half as many)
  --seconds N       as many requests as take N seconds for each row, found out beforehand
  --rounds N        rounds over all rows; medians are shown
  --concurrency N   requests at a time
  --only PART       measures one part: checks, credentials, tokens, sessions, certificates, policy
                    or hostile
  --json FILE       also writes the results as JSON
  --quick           some seconds only; shows that it works and nothing else
  --profile         shows where the time of a remembered check goes, and measures nothing else; with
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
      rounds: { type: 'string' },
      concurrency: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
    },
  })
  if (values.requests !== undefined && values.seconds !== undefined) {
    throw new Error('--requests and --seconds exclude each other')
  }
  const usual = values.quick ? QUICK : USUAL
  const requests = positive('--requests', values.requests)
  return {
    size: {
      ...usual,
      rounds: positive('--rounds', values.rounds) ?? usual.rounds,
      concurrency: positive('--concurrency', values.concurrency) ?? usual.concurrency,
      ...(requests === undefined ? {} : { requests, envoyRequests: Math.ceil(requests / 2) }),
    },
    seconds: positive('--seconds', values.seconds),
    json: values.json,
    profile: values.profile,
    only: partOf(values.only),
  }
}

const positive = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} must be a whole number above 0`)
  return Number(text)
}
