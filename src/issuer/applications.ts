// The application of the configuration in force, made again when the configuration or the state of a key changes.

import type { AuthorizationServer } from '../check/authorization-server.ts'
import type { SigningKeySet } from '../keys/signing-key-set.ts'
import type { Logins } from '../logins/logins.ts'
import type { Application } from '../runtime/http/server.ts'
import type { ApplicationParts, Served } from './application.ts'
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

type CreateApplication = (served: Served, parts: ApplicationParts) => Application

/** Makes applications, and keeps the latest. Without an authorization server, none of its code is loaded. */
export class Applications {
  readonly #parts: ApplicationParts
  #create: CreateApplication | undefined
  #latest: Latest | undefined

  constructor(parts: ApplicationParts) {
    this.#parts = parts
  }

  /** Loads the code of the authorization server, if there is one. Otherwise, the first request to one waits for it. */
  async prepare({ authorizationServer }: Published): Promise<void> {
    if (authorizationServer !== undefined) await this.#load()
  }

  /** Its application; `undefined` without an authorization server. */
  of(published: Published): Application | undefined {
    const { issuer, authorizationServer: server, logins } = published
    if (issuer === undefined || server === undefined || logins === undefined) return undefined
    const create = this.#create
    if (create === undefined) {
      return async (path, request, response) => {
        try {
          await this.#load()
          await this.of(published)?.(path, request, response)
        } catch (cause) {
          this.#parts.logger.error({ err: cause }, 'authorization server not loaded')
          response.destroy()
        }
      }
    }
    const signing = issuer.keys.statuses().map(({ kid, state }) => `${kid}=${state}`)
    // A store that is unavailable at the start has keys of its own until it answers.
    const keys = [...signing, this.#parts.derivedKeys.of('application')].join()
    if (this.#latest?.server !== server || this.#latest.keys !== keys) {
      const application = create({ server, logins, keys: issuer.keys }, this.#parts)
      this.#latest = { server, keys, application }
    }
    return this.#latest.application
  }

  async #load(): Promise<void> {
    const { createApplication } = await import('./application.ts')
    this.#create = createApplication
  }
}
