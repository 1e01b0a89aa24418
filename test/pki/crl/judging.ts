// One certificate, which CRLs judge.

import { CrlDocument } from '../../../src/pki/crl/document.ts'
import { judgeByCrls } from '../../../src/pki/crl/judgement.ts'
import type { Issued } from '../../../src/pki/issued.ts'
import { describeError } from '../../../src/runtime/errors.ts'
import { Authority, MINUTE, NOW, type CrlEntry } from '../revoking.ts'

export const TIMES = { grace: 0, skew: MINUTE }
export const REMOVE_FROM_CRL = 8
export const HOLD = 6

export const ca = new Authority()
export const twin = new Authority()
export const alice = ca.issued({ serial: 5 })

export const judge = async (
  ders: readonly Buffer[],
  { issued = alice, now = NOW, grace = 0 }: { issued?: Issued; now?: number; grace?: number } = {},
): Promise<string> => {
  const documents = ders.map((der) => new CrlDocument(der))
  const status = await judgeByCrls(documents, issued, { ...TIMES, grace }, now)
  return status.outcome === 'unavailable' ? describeError(status.cause) : status.outcome
}

export const revoking = (serial: number, reason?: number): readonly CrlEntry[] => [
  { serial: 1_000 },
  { serial, ...(reason === undefined ? {} : { reason }) },
]

export const NONE = 'there is no CRL for the certificate'
export const UNPROVEN = 'no CRL for the certificate is signed by its issuer and of today'
export const OLD = 'the CRL for the certificate is out of date'
