// The application of the configuration in force, made again when the configuration or the state of a key changes.

import type { AuthorizationServer } from '../check/authorization-server.ts'
import type { SigningKeySet } from '../keys/signing-key-set.ts'
import type { Logins } from '../logins/logins.ts'
import type { Application } from '../runtime/http/server.ts'
import { createApplication, type ApplicationParts } from './application.ts'
import type { PublicIssuer } from './documents.ts'

/** What of a configuration is served. */
export interface Published {
  readonly issuer: (PublicIssuer & { readonly keys: SigningKeySet }) | undefined
  readonly authorizationServer: AuthorizationServer | undefined
  readonly logins: Logins | undefined
}

interface Latest {
  readonly server: AuthorizationServer
  readonly keys: string
  readonly application: Application
}

/** Makes applications, and keeps the latest. */
export class Applications {
  readonly #parts: ApplicationParts
  #latest: Latest | undefined

  constructor(parts: ApplicationParts) {
    this.#parts = parts
  }

  /** Its application; `undefined` without an authorization server. */
  of({ issuer, authorizationServer: server, logins }: Published): Application | undefined {
    if (issuer === undefined || server === undefined || logins === undefined) return undefined
    const signing = issuer.keys.statuses().map(({ kid, state }) => `${kid}=${state}`)
    // A store that is unavailable at the start has keys of its own until it answers.
    const keys = [...signing, this.#parts.derivedKeys.of('application')].join()
    if (this.#latest?.server !== server || this.#latest.keys !== keys) {
      const application = createApplication({ server, logins, keys: issuer.keys }, this.#parts)
      this.#latest = { server, keys, application }
    }
    return this.#latest.application
  }
}
