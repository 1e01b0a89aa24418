// The listener of the issuer, over HTTP; Envoy publishes it. It serves the public documents of the configuration in force.
// Where there are clients, the authorization server serves everything else.

import type { LimitsConfig } from '../request/limits-schema.ts'
import type { IssuerListenerConfig } from '../configuration/schema.ts'
import { startHttpServer, type HttpServer } from '../runtime/http/server.ts'
import type { ReplaceableTls } from '../runtime/server-tls.ts'
import type { Tracer } from '../runtime/tracing/span.ts'
import type { ApplicationParts } from './application.ts'
import { Applications, type Published } from './applications.ts'
import { withoutCallerHeaders } from './http/caller.ts'
import { admitsNames } from './http/client-names.ts'
import { documentAt, isDocumentPath } from './documents.ts'
import { loopbackTokenClient } from './session/loopback-token-client.ts'
import { RequestLimit } from './http/request-limit.ts'
import { tracedRequests } from './http/traced-requests.ts'
import { startOutboxWorker, type OutboxHandlers } from '../logins/outbox-worker.ts'
import { LogoutOutbox } from '../logins/outbox.ts'

/** What of a configuration the listener uses. */
export interface ListenerSettings extends Published {
  /** How large requests may be. */
  readonly limits: LimitsConfig
}

/** What the listener needs. */
export interface IssuerListenerParts extends Omit<ApplicationParts, 'tokenClient'> {
  /** The configuration in force; called for every request. */
  readonly current: () => ListenerSettings
  /** Traces requests, where the configuration has `tracing`. */
  readonly tracer?: Tracer | undefined
  /** The files of `tls`, where the listener has it. */
  readonly tls?: ReplaceableTls | undefined
}

/**
 * Browsers are many, and bring long addresses and the cookies of a whole domain. Four Envoys can have all their
 * connections (envoy/clusters.ts), whose number is not what bounds the work: that is `RequestLimit`.
 */
const LIMITS = { connections: 4_608, headerBytes: 32_768 }

/**
 * Starts the listener.
 *
 * @throws CountersignError `listen-failed`
 */
export const startIssuerListener = async (
  { address, mode, tls }: IssuerListenerConfig,
  { current, tls: material, tracer, ...parts }: IssuerListenerParts,
): Promise<HttpServer> => {
  await using stack = new AsyncDisposableStack()
  const { records, audit, logger } = parts
  const applications = new Applications({
    ...parts,
    tokenClient: loopbackTokenClient(() => server.connect()),
  })
  await applications.prepare(current())
  const requestLimit = new RequestLimit()
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
      const answer = applications.of(published)
      if (answer === undefined) return undefined
      const bounded = requestLimit.bounding(answer, (path) =>
        isDocumentPath(path, published.issuer),
      )
      const traced = tracer === undefined ? bounded : tracedRequests(tracer, bounded)
      return isProven ? traced : withoutCallerHeaders(traced)
    },
    tls: material && { material, admits: admitsNames(tls?.clientNames) },
    logger,
  })
  stack.use(server)
  const outbox = new LogoutOutbox(records)
  const handlers = (): OutboxHandlers | undefined => current().logins
  stack.use(startOutboxWorker({ outbox, events: audit, handlers, logger }))
  const running = stack.move()
  return {
    address: server.address,
    connect: () => server.connect(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
