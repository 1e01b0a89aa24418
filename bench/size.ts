// How much work a run of the bench is: numbers of requests, so that two runs do the same.

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
}

/** About a minute and a half on two cores. */
export const USUAL: Size = {
  rounds: 5,
  requests: 6_000,
  envoyRequests: 2_500,
  coldRequests: 16,
  warmUpRequests: 6_000,
  identities: 10_000,
  concurrency: 16,
}

/** Some seconds: shows that the bench works, and no more. */
export const QUICK: Size = {
  rounds: 1,
  requests: 400,
  envoyRequests: 200,
  coldRequests: 2,
  warmUpRequests: 100,
  identities: 500,
  concurrency: 16,
}
