// `envoy.service.secret.v3.SecretDiscoveryService`, of which there is the incremental method alone.
// It hands out what the issuer makes, and hands it out again for as long as it is current.

import { secretDiscoveryService } from '../proto/load.ts'
import type { Clock } from '../runtime/clock.ts'
import type { StreamMethod } from '../runtime/grpc/message-stream.ts'
import type { Logger } from '../runtime/logger.ts'
import { Issuances, type UnheldCertificates } from './issuances.ts'
import type { CertificateSource } from '../ca/issuer.ts'
import { SecretStream, type StreamContext } from './secret-stream.ts'
import { zeroCounters, type SdsStatistics } from './statistics.ts'

/** What the service needs. */
export interface SdsServiceOptions {
  readonly issuer: CertificateSource
  readonly clock: Clock
  readonly logger: Logger
  /** The most names that all streams hold together. */
  readonly maxNames: number
}

/** The service, ready for a server of streams. */
export interface SdsService {
  readonly methods: readonly StreamMethod[]
  /** The counters as they are now. */
  statistics(): SdsStatistics
  /** The certificates that are kept for the next stream that asks for them. */
  unheld(): UnheldCertificates
}

/** Makes the service. (gRPC answers UNIMPLEMENTED where there is no method.) */
export const sdsService = (options: SdsServiceOptions): SdsService => {
  const { issuer, logger } = options
  const counters = zeroCounters()
  const issuances = new Issuances({ ...options, counters })
  const context: StreamContext = { issuer, issuances, logger, counters }
  return {
    methods: [
      {
        path: secretDiscoveryService.DeltaSecrets.path,
        open: (stream) => new SecretStream(stream, context),
      },
    ],
    statistics: () => ({ ...counters }),
    unheld: () => issuances.unheld,
  }
}
