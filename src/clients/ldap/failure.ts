// Why a directory gave no usable answer.

import { DependencyFailure } from '../../runtime/dependency-failure.ts'

/** What went wrong. */
export type DirectoryFailure =
  | 'unreachable' // no connection
  | 'tls' // no TLS, or the wrong certificate
  | 'timeout'
  | 'closed' // the connection went in the middle
  | 'malformed' // not LDAP
  | 'busy' // result code busy or unavailable
  | 'service-refused' // the service account may not bind
  | 'skipped' // every server failed a moment ago
  | 'answered' // an error that another server would repeat
  | 'ambiguous' // two entries for one user
  | 'entry-unusable' // an entry lacks what an identity needs
  | 'groups-unusable' // too many, too deep, or unreadable

// Failures of one server: another one might do better.
const OF_THE_SERVER: readonly DirectoryFailure[] = [
  'unreachable',
  'tls',
  'timeout',
  'closed',
  'malformed',
  'busy',
  'service-refused',
]

// Failures that one slow search cannot explain: they open the circuit at once.
const AT_ONCE: readonly DirectoryFailure[] = ['unreachable', 'tls', 'service-refused']

/** A failure with the server's name in its message, and never a password. */
export class DirectoryError extends DependencyFailure {
  readonly failure: DirectoryFailure

  constructor(failure: DirectoryFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'DirectoryError'
    this.failure = failure
  }

  /** Without the message: a search contains the name that a caller typed. */
  get summary(): string {
    const { failure, cause } = this
    return failure === 'skipped' && cause instanceof DirectoryError
      ? `${cause.summary}, a moment ago`
      : `LDAP: ${failure}`
  }

  /** Whether another server might do better. */
  get ofTheServer(): boolean {
    return OF_THE_SERVER.includes(this.failure)
  }

  /** Whether one such failure is enough to leave the server alone for a while. */
  get conclusive(): boolean {
    return AT_ONCE.includes(this.failure)
  }
}
