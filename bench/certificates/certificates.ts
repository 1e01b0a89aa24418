// The second half of the bench: certificates.

import { Installation } from '../installation.ts'
import type { Size } from '../size.ts'
import { measureFirstRequest, type FirstRequestCost } from './first-request.ts'
import { measureLive, type LiveCost } from './live.ts'
import { measureMinting, type MintingCosts } from './minting.ts'
import { targetsOf, type Target } from './targets.ts'
import { measureWarm, type WarmCost } from './warm.ts'

/** Everything that is found out about certificates. */
export interface CertificateCosts {
  readonly warm: WarmCost
  readonly minting: MintingCosts
  /** Absent without an Envoy. */
  readonly firstRequest: FirstRequestCost | undefined
  readonly live: LiveCost | undefined
}

/** The costs, and what they should be. */
export interface CertificateResults extends CertificateCosts {
  readonly targets: readonly Target[]
}

/**
 * Measures everything about certificates, one after the other and each among processes of its own.
 *
 * @param withEnvoy whether there is one; without it there is no upstream to present a certificate to
 */
export const measureCertificates = async (
  size: Size,
  withEnvoy: boolean,
  progress: (text: string) => void,
): Promise<CertificateResults> => {
  const inInstallation = async <T>(
    name: string,
    measure: (installation: Installation) => Promise<T>,
  ): Promise<T> => {
    progress(`certificates: ${name}`)
    await using installation = await Installation.open()
    return await measure(installation)
  }
  const warm = await inInstallation('known identities', (installation) =>
    measureWarm(installation, size, { withEnvoy, progress }),
  )
  const minting = await inInstallation('minting', (installation) =>
    measureMinting(installation, size),
  )
  const envoyCosts = withEnvoy
    ? {
        firstRequest: await inInstallation('new identities', (installation) =>
          measureFirstRequest(installation, size),
        ),
        live: await inInstallation(`${size.liveIdentities} identities`, (installation) =>
          measureLive(installation, size),
        ),
      }
    : { firstRequest: undefined, live: undefined }
  const costs = { warm, minting, ...envoyCosts }
  return { ...costs, targets: targetsOf(costs) }
}
