// A certificate authenticator with everything at its plainest, and how a test asks it.

import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import {
  certificateAuthenticator,
  type CertificateOptions,
} from '../../src/authenticate/certificate/authenticator.ts'
import { readChainCertificate } from '../../src/pki/chain-certificate.ts'
import { connectionSource } from '../../src/authenticate/certificate/connection.ts'
import type { RevocationChecker, RevocationStatus } from '../../src/pki/revocation.ts'
import { trustIn, type Trust } from '../../src/pki/trust.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { PURPOSES } from '../../src/x509/oid.ts'
import { FakeClock } from '../fakes/clock.ts'
import { requestOf, type RequestParts } from '../fakes/envoy.ts'
import { pemOf, type Made } from './making.ts'

const FOREVER = new AbortController().signal

/** Trust in anchors, by way of intermediates. */
export const trustOf = (anchors: readonly Made[], intermediates: readonly Made[] = []): Trust => {
  const read = (list: readonly Made[]) => list.map(({ der }) => readChainCertificate(der))
  return trustIn(read(anchors), read(intermediates))
}

/** An authenticator for certificates of these anchors. */
export const certificateWith = (
  trust: Trust,
  options: Partial<CertificateOptions> = {},
): Authenticator => {
  const clock = options.clock ?? new FakeClock()
  return certificateAuthenticator({
    name: 'staff',
    source: connectionSource,
    trust,
    purposes: [PURPOSES.clientAuth],
    cacheTtl: 300_000,
    clock,
    cache: new CredentialCache(clock),
    ...options,
  })
}

/** The certificate of a connection, as Envoy reports it. */
export const presented = (...certificates: readonly Made[]): string =>
  encodeURIComponent(pemOf(...certificates))

/** Asks about a connection with that certificate. */
export const show = async (
  authenticator: Authenticator,
  certificate: Made,
  parts: RequestParts = {},
  signal = FOREVER,
): Promise<Authentication> =>
  await authenticator.authenticate(
    requestOf({ peerCertificate: presented(certificate), ...parts }),
    signal,
  )

/** A checker that answers with `status`, and records the chains that it is called with. */
export class FakeRevocation implements RevocationChecker {
  generation = 'first'
  status: RevocationStatus = { outcome: 'good' }
  readonly requests: (readonly Buffer[])[] = []
  /** Held up until this is settled. */
  gate: Promise<void> = Promise.resolve()

  async check(chain: readonly Buffer[]): Promise<RevocationStatus> {
    this.requests.push(chain)
    await this.gate
    return this.status
  }
}
