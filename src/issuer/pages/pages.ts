// The pages of the issuer that are not the provider's own: the interactions of a login, and the account page.

import type { Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/sink.ts'
import { LocalRecheck } from '../../authenticate/login/local-recheck.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import type { Logins } from '../../logins/logins.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Application } from '../../runtime/http/server.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import type { RecordStore } from '../../state/record-store.ts'
import type { PageSender } from '../http/page-sender.ts'
import type { BrowserBinding } from '../provider/browser-binding.ts'
import { AccountPage, isAccountPath } from './account-page.ts'
import { Interactions, isInteractionPath } from './interactions.ts'
import { UpstreamLogoutEndpoint } from './upstream-logout-endpoint.ts'

/** What the pages need. */
export interface PagesParts {
  readonly server: AuthorizationServer
  readonly provider: Provider
  readonly logins: Logins
  readonly records: RecordStore
  readonly derivedKeys: DerivedKeys
  readonly binding: BrowserBinding
  readonly sender: PageSender
  readonly audit: AuditSink
  readonly clock: Clock
  readonly logger: Logger
}

// For a connection on which nothing is sent or received once a login has been answered.
const IDLE_MS = 25_000

/** The page at a path; `undefined` where there is none, and without `issuer.login`. */
export const pagesOf = (parts: PagesParts): ((path: string) => Application | undefined) => {
  const { server, logins, derivedKeys } = parts
  const { login } = server
  if (login === undefined) return () => undefined
  const formKey = Buffer.from(derivedKeys.of('login-forms'), 'base64url')
  const interactions = new Interactions({
    ...parts,
    ...logins,
    issuer: server.url,
    login,
    local: new LocalRecheck({ ...login, clock: parts.clock }),
    upstreamLogoutEndpoint: new UpstreamLogoutEndpoint({ ...parts, ...logins }),
    formKey,
  })
  const account = new AccountPage({ ...parts, login, formKey })
  const interact: Application = async (path, request, response) => {
    // The listener closes idle connections, and a second factor may take longer.
    request.socket.setTimeout(login.wait + IDLE_MS)
    await interactions.answer(path, request, response)
  }
  return (path) => {
    if (isInteractionPath(path)) return interact
    return isAccountPath(path) ? account.answer : undefined
  }
}
