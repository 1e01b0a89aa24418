// A kind of credential that is measured.

import type { Shown } from '../requests.ts'
import type { Installation } from '../installation.ts'

/** A kind of credential, its servers started. */
export interface Scheme {
  /** As the table names it. */
  readonly name: string
  /**
   * The authenticators in the configuration. Where there are several, each has to prove the caller.
   *
   * @param cacheTtl how long a proof is remembered; schemes that remember nothing take no notice
   */
  readonly authenticators: (cacheTtl: string) => readonly object[]
  /**
   * What a user of the bench shows.
   *
   * @param index of the request, which also decides its path
   */
  readonly credential: (user: string, index: number) => Shown
  /** Who everyone is taken for; by default each user of the bench for that user. */
  readonly user?: string
  /** Proofs in each round when nothing is remembered. */
  readonly proofs: 'few' | 'many'
  /** Whether proofs are remembered at all. */
  readonly remembers: boolean
  /** Whether what is shown counts only once, so that as much has to be made beforehand as is sent. */
  readonly once?: boolean
}

/** A kind of credential that cannot be measured here. */
export interface Skipped {
  readonly name: string
  readonly reason: string
}

/** Starts what a scheme needs. */
export type StartScheme = (
  installation: Installation,
  users: readonly string[],
) => Promise<Scheme | Skipped>
