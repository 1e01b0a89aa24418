// How much work a run of the bench is: numbers of requests, so that two runs do the same.

import type { HostileSize } from './hostile/measure.ts'

/** The amounts. */
export interface Size {
  readonly rounds: number
  /** Requests in each round of a row over gRPC. */
  readonly requests: number
  /** How long each round of a row of checks takes: saturated, and at a fixed rate. */
  readonly scenarioSeconds: number
  readonly pacedSeconds: number
  /** Requests at a time in rows of checks: what an Envoy has under way that is busy. */
  readonly inFlight: number
  /** Tokens that take turns. */
  readonly tokens: number
  /** Tokens in each round of which every one is new. */
  readonly coldTokens: number
  /** Requests in each round whose password has to be hashed. */
  readonly coldRequests: number
  /** Requests of each row before the first round. */
  readonly warmUpRequests: number
  /** Users whose memory is measured. */
  readonly identities: number
  /** Requests at a time. */
  readonly concurrency: number
  /** Rounds over a row with headers and the same one with certificates. */
  readonly pairedRounds: number
  /** Requests in each of those rounds over gRPC. */
  readonly pairedRequests: number
  /** New identities that come one by one in each round, and those that come before. */
  readonly newIdentities: number
  readonly newRounds: number
  readonly newWarmUp: number
  /** Certificates in each round of minting. */
  readonly minted: number
  readonly mintingRounds: number
  /** Keys in each of those rounds; one of RSA takes a tenth of a second and more. */
  readonly mintedKeys: number
  /** Identities that are there at once, and those that come before. */
  readonly liveIdentities: number
  readonly liveWarmUp: number
  /** Whether to wait for Envoy to close their connections. */
  readonly untilIdle: boolean
  /** How many rules there are in sets of rules. */
  readonly rules: readonly number[]
  /** Reloads of each kind, and what is read anew. */
  readonly reloadRounds: number
  readonly reloadRules: number
  readonly reloadUsers: number
  readonly crlEntries: number
  /** Of a process that works for long; by default it does not. */
  readonly aging: {
    readonly seconds: number | undefined
    /** In that time. */
    readonly reloads: number
    /** Of the comparison with a fresh one. Many and short: whatever else the machine does affects both alike. */
    readonly rounds: number
  }
  /** How often it is started, with and without compiled code. */
  readonly starts: number
  /** For how long hostile clients of each kind send, and how much. */
  readonly hostile: HostileSize
}

/** About twenty minutes on two cores: nine for checks, two each for credentials, certificates and hostile clients. */
export const USUAL: Size = {
  rounds: 5,
  requests: 6_000,
  scenarioSeconds: 1.5,
  pacedSeconds: 3,
  inFlight: 100,
  tokens: 10_000,
  coldTokens: 4_000,
  coldRequests: 16,
  warmUpRequests: 12_000,
  identities: 10_000,
  concurrency: 16,
  pairedRounds: 9,
  pairedRequests: 4_000,
  newIdentities: 300,
  newRounds: 3,
  newWarmUp: 1_000,
  minted: 300,
  mintingRounds: 5,
  mintedKeys: 8,
  liveIdentities: 10_000,
  liveWarmUp: 500,
  untilIdle: true,
  rules: [1_000, 10_000],
  reloadRounds: 3,
  reloadRules: 10_000,
  reloadUsers: 10_000,
  crlEntries: 1_000_000,
  aging: { seconds: undefined, reloads: 100, rounds: 15 },
  starts: 7,
  hostile: { seconds: 5, perSecond: 200, connections: 500 },
}

/** A minute on an idle machine: shows that the bench works, and that no bound is exceeded. */
export const QUICK: Size = {
  rounds: 2,
  requests: 4_000,
  scenarioSeconds: 0.3,
  pacedSeconds: 0.2,
  inFlight: 100,
  tokens: 500,
  coldTokens: 1_000,
  coldRequests: 2,
  warmUpRequests: 1_000,
  identities: 500,
  concurrency: 16,
  pairedRounds: 1,
  pairedRequests: 3_000,
  newIdentities: 40,
  newRounds: 1,
  newWarmUp: 20,
  minted: 20,
  mintingRounds: 1,
  mintedKeys: 2,
  liveIdentities: 300,
  liveWarmUp: 50,
  untilIdle: false,
  rules: [1_000],
  reloadRounds: 1,
  reloadRules: 200,
  reloadUsers: 100,
  crlEntries: 10_000,
  aging: { seconds: 1, reloads: 4, rounds: 2 },
  starts: 2,
  hostile: { seconds: 0.5, perSecond: 100, connections: 50 },
}
