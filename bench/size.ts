// How much work a run of the bench is: numbers of requests, so that two runs do the same.

import type { HostileSize } from './hostile/measure.ts'

/** The amounts. */
export interface Size {
  readonly rounds: number
  /** Requests in each round of a row over gRPC. */
  readonly requests: number
  /** Requests in each round through Envoy. */
  readonly envoyRequests: number
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
  /** For how long hostile clients of each kind send, and how much. */
  readonly hostile: HostileSize
}

/** About ten minutes on two cores: a minute and a half for checks, two for credentials, two for hostile clients. */
export const USUAL: Size = {
  rounds: 5,
  requests: 6_000,
  envoyRequests: 2_500,
  coldRequests: 16,
  warmUpRequests: 6_000,
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
  hostile: { seconds: 5, perSecond: 200, connections: 500 },
}

/** Some seconds: shows only that the bench works. */
export const QUICK: Size = {
  rounds: 1,
  requests: 400,
  envoyRequests: 200,
  coldRequests: 2,
  warmUpRequests: 100,
  identities: 500,
  concurrency: 16,
  pairedRounds: 1,
  pairedRequests: 400,
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
  hostile: { seconds: 0.5, perSecond: 100, connections: 50 },
}
