// Three callers, and whether a proof of one of them is accepted.

import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { it } from 'node:test'
import { verifyProof } from '../../../src/authenticate/bearer/proof.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { encode, NOW } from './issuing.ts'
import { claimsOf, makeCaller, RULES, subjectOf, type Caller, type Members } from './proving.ts'

/** The access token of RFC 9449 §7.1. */
export const TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
export const SKEW = 5_000

export const caller = await makeCaller()
export const other = await makeCaller()
export const rsa = await makeCaller('RS256')

/** How a proof is presented. */
export interface Shown {
  /** The caller that the token is bound to; `caller` by default. */
  readonly by?: Caller
  readonly parts?: RequestParts
  readonly rules?: Partial<typeof RULES>
}

/** Whether the proof is accepted. */
export const judge = async (
  proof: string,
  { by = caller, parts = {}, rules = {} }: Shown = {},
): Promise<boolean> => {
  const subject = subjectOf(by, TOKEN, parts)
  return (await verifyProof(proof, subject, { ...RULES, ...rules }, NOW * 1_000)) !== undefined
}

/** A proof of any header and claims, with a valid signature (ES256). */
export const signed = (header: string, claims: string, { privateKey } = caller): string => {
  const text = `${encode(header)}.${encode(claims)}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${text}.${encode(sign('sha256', Buffer.from(text), key))}`
}

/** The header of a proof of the caller, with more members. */
export const headerOf = (more: Members = {}): string =>
  JSON.stringify({ alg: 'ES256', typ: 'dpop+jwt', jwk: caller.jwk, ...more })

/** The claims of a proof for the token, with more members. */
export const bodyOf = (more: Members = {}): string =>
  JSON.stringify({ ...claimsOf(TOKEN), ...more })

/** Makes a proof with these claims. */
export const claiming = (claims: Members) => (): Promise<string> => caller.proof(TOKEN, claims)

/** Makes a proof with these members in its header. */
export const heading = (header: Members) => (): string => signed(headerOf(header), bodyOf())

interface Case extends Shown {
  readonly name: string
  readonly proof: () => string | Promise<string>
}

/** A test for each case: whether the proof is accepted. */
export const tableOf = (want: boolean, cases: readonly Case[]): void => {
  for (const { name, proof, ...presented } of cases) {
    it(want ? name : `refuses a proof: ${name}`, async () =>
      assert.equal(await judge(await proof(), presented), want),
    )
  }
}
