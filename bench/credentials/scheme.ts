// A kind of credential that is measured.

import type { Shown } from '../requests.ts'
import type { Installation } from '../installation.ts'

/** A kind of credential, its servers started. */
export interface Scheme {
  /** As the table names it. */
  readonly name: string
  /**
   * The authenticator in the configuration.
   *
   * @param remember how long a proof is remembered; schemes that remember nothing take no notice
   */
  authenticator(remember: string): object
  /** What a user of the bench shows. */
  credential(user: string): Shown
  /** Proofs in each round when nothing is remembered. */
  readonly proofs: 'few' | 'many'
  /** Whether proofs are remembered at all. */
  readonly remembers: boolean
}

/** Starts what a scheme needs; a text says why it cannot be measured here. */
export type StartScheme = (
  installation: Installation,
  users: readonly string[],
) => Promise<Scheme | { readonly name: string; readonly skipped: string }>
