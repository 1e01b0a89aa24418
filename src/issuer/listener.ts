// The listener of the issuer: the documents of the configuration in force, over HTTP. Envoy publishes
// it; nothing can be changed here, and nobody has to say who they are.

import type { HttpListenerConfig } from '../config/schema.ts'
import { startHttpServer, type HttpServer } from '../runtime/http-server.ts'
import type { Logger } from '../runtime/logger.ts'
import { documentAt, type PublicIssuer } from './documents.ts'

/** What the listener needs. */
export interface IssuerListenerParts {
  /** The issuer of the configuration in force; asked for every request. */
  readonly current: () => PublicIssuer | undefined
  readonly logger: Logger
}

/**
 * Starts the listener.
 *
 * @throws CountersignError `listen-failed`
 */
export const startIssuerListener = async (
  { address, mode }: HttpListenerConfig,
  { current, logger }: IssuerListenerParts,
): Promise<HttpServer> =>
  await startHttpServer({
    address,
    mode: Number.parseInt(mode, 8),
    pages: {
      get(path) {
        const issuer = current()
        const document = issuer && documentAt(path, issuer)
        return document && (() => document)
      },
    },
    logger,
  })
