// One question, whose answers are judged.

import type { Issued } from '../../../src/pki/issued.ts'
import { judgeOcsp, type OcspRules } from '../../../src/pki/ocsp/proof.ts'
import { readOcspResponse } from '../../../src/pki/ocsp/response.ts'
import { Authority, MINUTE, NOW } from '../revoking.ts'

export const RULES: OcspRules = {
  responders: [],
  skew: MINUTE,
  maxAge: 5 * MINUTE,
  nonceRequired: false,
}
export const NONCE = Buffer.alloc(32, 7)

export const ca = new Authority()
export const alice = ca.issued()
export const responder = ca.responder()
export const twin = new Authority() // of the same name, with another key
/** The same key under another name. */
export const alias = new Authority('Renamed CA', { key: ca.key })
export const other = new Authority('Other CA')

/** `good until +1h`, or why not. */
export const judge = async (
  der: Buffer,
  rules: Partial<OcspRules> = {},
  issued: Issued = alice,
  now = NOW,
): Promise<string> => {
  const reading = readOcspResponse(der)
  if (reading.outcome === 'refusal') return reading.reason
  const question = { issued, nonce: NONCE }
  const judgement = await judgeOcsp(reading.answer, question, { ...RULES, ...rules }, now)
  return judgement.outcome === 'proven' ? judgement.proven.status : judgement.reason
}

export const UNSIGNED = 'it is not signed by the issuer, nor by a responder that may'
export const OUT_OF_DATE = 'it is out of date, or from the future'
export const OTHER = 'it is about another certificate'
