// What certificates should cost at most. The bench says whether they do; it does not fail.

import { WARM_ROWS } from './warm.ts'
import type { CertificateCosts } from './certificates.ts'

/** A figure and its bound. */
export interface Target {
  readonly name: string
  readonly unit: string
  readonly most: number
  readonly measured: number
  readonly met: boolean
}

/** Every target that there is a figure for. */
export const targetsOf = ({ warm, firstRequest, minting, live }: CertificateCosts) => {
  const ratioOf = (name: string): number | undefined =>
    [...warm.direct, ...warm.envoy].find((row) => row.name === name)?.ratio
  const p256 = minting.p256.issue + minting.p256.key
  return [
    target(
      'CPU of a check with a certificate, over gRPC',
      '× headers',
      1.1,
      ratioOf(WARM_ROWS.direct.certificate),
    ),
    target(
      'CPU of a check with a certificate, through Envoy',
      '× headers',
      1.1,
      ratioOf(WARM_ROWS.envoy.certificate),
    ),
    target('p99 of the first request of a new identity', 'ms', 15, firstRequest?.p99),
    target('CPU of a p256 certificate with its key', 'µs', 400, p256),
    // Each has a stream of its own.
    target('memory of the signer for each live identity', 'KB', 40, kilobytes(live?.memory.signer)),
  ].flat()
}

const kilobytes = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : bytes / 1e3

const target = (
  name: string,
  unit: string,
  most: number,
  measured: number | undefined,
): readonly Target[] =>
  measured === undefined ? [] : [{ name, unit, most, measured, met: measured <= most }]
