// LDAP directories and Active Directory: a user's password is proven by a bind as the user, and who
// that is comes from the directory, not from what was typed.

import { systemClock, type Clock } from '../../../runtime/clock.ts'
import { countedSource } from '../../../runtime/counted-source.ts'
import { FairLimiter } from '../../../runtime/fair-limiter.ts'
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

/** What a verifier works with, beside its configuration. */
interface LdapContext {
  readonly clock?: Clock
  /** For the log: a directory that still answers gives no other sign of a server that does not. */
  readonly report?: ServerReport
}

/**
 * The users of one directory. Whatever keeps us from finding out is `unavailable`, with a cause that
 * names the server and never a password.
 */
export class LdapVerifier implements PasswordVerifier, Disposable {
  readonly #directory: Directory
  readonly #limiter: FairLimiter
  readonly #prover: Prover

  /**
   * @param context where the time comes from, and who is told of servers that fail and come back
   */
  constructor(settings: LdapSettings, context: LdapContext = {}) {
    const { clock = systemClock, report = () => undefined } = context
    const { concurrency, maxPending: waiting } = settings
    this.#directory = new Directory(settings, clock, report)
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
      // Of users who have proven themselves: those who have not must not keep them waiting.
      return await this.#limiter.run('', signal, look, 'preferred')
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  /** How its servers are doing. */
  get servers(): readonly ServerState[] {
    return this.#directory.states
  }

  /** Closes the connections; what is being proven is still answered. */
  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}
