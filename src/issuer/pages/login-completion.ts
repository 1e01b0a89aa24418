// Completes a login: the account is stored, the audit event written, and the interaction finished, in this order. What the
// log has not taken does not happen.

import type { Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/sink.ts'
import type { LoginEvent } from '../../audit/event.ts'
import { authenticationContext } from '../../identity/authentication-context.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Accounts, AccountFailure } from '../../logins/accounts.ts'
import { newLoginId } from '../../logins/login-id.ts'
import { sourceOf } from '../http/caller.ts'
import { requestIdOf } from '../http/request-id.ts'
import type { Exchange } from './interaction-request.ts'
import type { UnmappedLogin } from '../../logins/proven-logins.ts'
import { loginResult, type LoginResult } from '../provider/link-session.ts'

/** What ending needs. */
export interface LoginCompletionParts {
  readonly provider: Provider
  readonly accounts: Accounts
  readonly audit: AuditSink
}

type Ending = Omit<LoginEvent, 'event' | 'request' | 'client' | 'source' | 'loginMethod'> &
  Partial<Pick<LoginEvent, 'loginMethod'>>

/** Ends the logins of one provider. */
export class LoginCompletion {
  readonly #parts: LoginCompletionParts

  constructor(parts: LoginCompletionParts) {
    this.#parts = parts
  }

  /**
   * Completes a login, and redirects the browser to the client; or returns the reason why it cannot, which is logged.
   *
   * @param proven what is stored of the login
   * @throws CountersignError `audit-unwritable`: then there is no login
   */
  async complete(
    exchange: Exchange,
    identity: Identity,
    proven: UnmappedLogin,
  ): Promise<AccountFailure | undefined> {
    const login = newLoginId()
    const result = await this.#parts.accounts.remember(login, identity, proven.ends)
    const {
      user,
      groups,
      authenticator,
      method: authentication,
      digest: credential,
      presented,
    } = identity
    const known = { user, groups, authenticator, authentication, credential, presented }
    if (result.outcome === 'failed') {
      const { code: reason, detail } = result
      await this.record(exchange, { outcome: 'refused', reason, detail, ...known })
      return result
    }
    await this.record(exchange, { outcome: 'succeeded', login, ...known })
    const { subject } = result.account
    await this.#finish(
      exchange,
      identity,
      subject,
      loginResult(login, { ...proven, user: subject }),
    )
    return undefined
  }

  /**
   * @param event its `loginMethod` may be left out where the authenticator determines it
   * @throws CountersignError `audit-unwritable`
   */
  async record({ request, interaction }: Exchange, event: Ending): Promise<void> {
    await this.#parts.audit.write({
      event: 'login',
      loginMethod: wayOf(event),
      request: requestIdOf(request),
      client: String(interaction.params['client_id']),
      source: sourceOf(request),
      ...event,
    })
  }

  async #finish(
    exchange: Exchange,
    identity: Identity,
    subject: string,
    further: LoginResult,
  ): Promise<void> {
    const { request, response } = exchange
    const { methods, contextClass, time } = authenticationContext(identity)
    const login = {
      accountId: subject,
      ...(methods === undefined ? {} : { amr: [...methods] }),
      ...(contextClass === undefined ? {} : { acr: contextClass }),
      ...(time === undefined ? {} : { ts: time }),
    }
    const options = { mergeWithLastSubmission: false }
    await this.#parts.provider.interactionFinished(
      request,
      response,
      { login, ...further },
      options,
    )
  }
}

/** Upstream IdPs are authenticators of their own name (logins/upstream-idp/build.ts). */
const wayOf = ({ authentication, authenticator = '' }: Ending): string => {
  if (authentication === 'basic') return 'password'
  return authentication === 'certificate' ? 'certificate' : authenticator
}
