// The listener of the issuer, over HTTP; Envoy publishes it. The documents of the configuration in force
// can be read by anybody. Where there are clients, the authorization server answers everything else.

import type { AuthorizationServer } from '../check/authorization-server.ts'
import type { LoginStatuses } from '../authenticate/session/login-standings.ts'
import type { LimitsConfig } from '../request/limits-schema.ts'
import type { IssuerListenerConfig } from '../configuration/schema.ts'
import type { SigningKeySet } from '../keys/signing-key-set.ts'
import { startHttpServer, type HttpServer } from '../runtime/http/server.ts'
import type { ReplaceableTls } from '../runtime/server-tls.ts'
import { createApplication, type ApplicationParts, type IssuerApplication } from './application.ts'
import { withoutCallerHeaders } from './caller.ts'
import { admitsNames } from './client-names.ts'
import { documentAt, isDocumentPath, type PublicIssuer } from './documents.ts'
import { Places } from './places.ts'
import { carryingOutNotes, type OthersConcerned } from './session/operator-sign-outs.ts'
import { SignOutNotes } from './session/sign-out-notes.ts'

/** What of a configuration the listener shows. */
export interface Published {
  readonly issuer: (PublicIssuer & { readonly keys: SigningKeySet }) | undefined
  readonly authorizationServer: AuthorizationServer | undefined
  /** How large requests may be. */
  readonly limits: LimitsConfig
}

/** A running listener. */
export interface IssuerListener extends HttpServer {
  /** Whether logins are still good, by the configuration in force. */
  readonly statuses: LoginStatuses
}

/** What the listener needs. */
export interface IssuerListenerParts extends Omit<ApplicationParts, 'connect'> {
  /** The configuration in force; asked for every request. */
  readonly current: () => Published
  /** The files of `tls`, where the listener has it. */
  readonly tls?: ReplaceableTls | undefined
}

/**
 * Browsers are many, and bring long addresses and the cookies of a whole domain. Four Envoys can have all their
 * connections (envoy/clusters.ts), whose number is not what bounds the work: that is `Places`.
 */
const LIMITS = { connections: 4_608, headerBytes: 32_768 }

/**
 * Starts the listener.
 *
 * @throws CountersignError `listen-failed`
 */
export const startIssuerListener = async (
  { address, mode, tls }: IssuerListenerConfig,
  { current, tls: material, ...parts }: IssuerListenerParts,
): Promise<IssuerListener> => {
  await using stack = new AsyncDisposableStack()
  const { records, audit, logger } = parts
  const applications = new Applications({ ...parts, connect: () => server.connect() })
  const places = new Places()
  // A UNIX socket admits by its mode, mutual TLS by a certificate: then the peer is Envoy.
  const isProven = address.kind === 'unix' || material !== undefined
  const server = await startHttpServer({
    address,
    mode: Number.parseInt(mode, 8),
    limits: LIMITS,
    requestSize: () => current().limits,
    pages: {
      get(path) {
        const { issuer, authorizationServer } = current()
        const document = issuer && documentAt(path, issuer, authorizationServer !== undefined)
        return document && (() => document)
      },
    },
    application() {
      const published = current()
      const answer = applications.of(published)?.answer
      if (answer === undefined) return undefined
      const bounded = places.bounding(answer, (path) => isDocumentPath(path, published.issuer))
      return isProven ? bounded : withoutCallerHeaders(bounded)
    },
    tls: material && { material, admits: admitsNames(tls?.clientNames) },
    logger,
  })
  stack.use(server)
  const notes = new SignOutNotes(records)
  const others = (): OthersConcerned | undefined => applications.of(current())
  stack.use(carryingOutNotes({ notes, audit, others, logger }))
  // Where no login is configured any more, none is good.
  const statuses: LoginStatuses = {
    login: async (id) => (await applications.of(current())?.statuses.login(id)) ?? 'ended',
    grant: async (id) => (await applications.of(current())?.statuses.grant(id)) ?? 'ended',
  }
  const running = stack.move()
  return {
    address: server.address,
    connect: () => server.connect(),
    statuses,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The application of the configuration in force, made anew when that or what its keys do changes. */
class Applications {
  readonly #parts: ApplicationParts
  #latest:
    | {
        readonly server: AuthorizationServer
        readonly keys: string
        readonly application: IssuerApplication
      }
    | undefined

  constructor(parts: ApplicationParts) {
    this.#parts = parts
  }

  of({ issuer, authorizationServer: server }: Published): IssuerApplication | undefined {
    if (issuer === undefined || server === undefined) return undefined
    const signing = issuer.keys.statuses().map(({ kid, state }) => `${kid}=${state}`)
    // A store that could not be reached at first has keys of its own.
    const keys = [...signing, this.#parts.opaqueKeys.of('application')].join()
    if (this.#latest?.server !== server || this.#latest.keys !== keys) {
      const application = createApplication(server, issuer.keys, this.#parts)
      this.#latest = { server, keys, application }
    }
    return this.#latest.application
  }
}
