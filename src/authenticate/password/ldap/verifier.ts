// LDAP directories and Active Directory: a user's password is verified by a bind as the user, and the identity comes
// from the directory, not from the typed name.

import { systemClock, type Clock } from '../../../runtime/clock.ts'
import { countedSource } from '../../../runtime/counted-source.ts'
import { FairLimiter } from '../../../runtime/fair-limiter.ts'
import type { RequestDurations } from '../../../runtime/request-durations.ts'
import type { ServerState } from '../../../runtime/server-state.ts'
import { Directory, type ServerReport } from '../../../clients/ldap/directory.ts'
import type { LdapSettings } from './schema.ts'
import { Prover } from './prover.ts'
import type {
  AccountLookup,
  AccountReference,
  PasswordVerifier,
  Verification,
  VerificationContext,
} from '../verifier.ts'

/** The dependencies of a verifier, in addition to its settings. */
interface LdapContext {
  readonly clock?: Clock
  /** Logs changes of a server's state: while another server answers, there is no other sign of a failing one. */
  readonly report?: ServerReport
  /** Measures the requests to the servers. */
  readonly durations?: RequestDurations | undefined
}

/**
 * The users of one directory. Every failure to verify is `unavailable`, with a cause that names the server and never
 * contains a password.
 */
export class LdapVerifier implements PasswordVerifier, Disposable {
  readonly #directory: Directory
  readonly #limiter: FairLimiter
  readonly #prover: Prover

  /** @param context the clock, what measures requests, and the callback for servers that fail and recover */
  constructor(settings: LdapSettings, context: LdapContext = {}) {
    const { clock = systemClock, report = () => undefined, durations } = context
    const { concurrency, maxPending: waiting } = settings
    this.#directory = new Directory(settings, clock, { report, durations })
    this.#limiter = new FairLimiter({ name: 'users of the directory', concurrency, waiting })
    this.#prover = new Prover(settings, clock)
  }

  async verify(
    user: string,
    password: string,
    { source, signal }: VerificationContext,
  ): Promise<Verification> {
    try {
      return await this.#limiter.run(countedSource(source), signal, () =>
        this.#directory.use(user, signal, (server) =>
          this.#prover.prove(server, user, password, signal),
        ),
      )
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  async lookup(account: AccountReference, signal: AbortSignal): Promise<AccountLookup> {
    const reference = this.#prover.referenceIn(account)
    if (reference === undefined) return { outcome: 'unsupported' }
    try {
      const look = (): Promise<AccountLookup> =>
        this.#directory.use(account, signal, (server) =>
          this.#prover.lookup(server, reference, signal),
        )
      // A lookup is for an authenticated user, who must not wait behind unauthenticated ones.
      return await this.#limiter.run('', signal, look, 'preferred')
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  /** The status of its servers. */
  get servers(): readonly ServerState[] {
    return this.#directory.states
  }

  /** Closes the connections after the verifications under way. */
  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}
