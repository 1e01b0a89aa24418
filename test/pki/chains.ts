// How the chains of the cases are put together.

import type { RejectionCode } from '../../src/authenticate/authenticator.ts'
import { makeAuthority, makeClient, type Made } from './making.ts'

/** What is presented, and who is trusted. */
export interface Chain {
  readonly leaf: Made
  readonly others?: readonly Made[]
  readonly anchors: readonly Made[]
}

/** A chain, and the verdict on it. */
export interface ChainCase {
  readonly name: string
  readonly make: () => Chain
  readonly want: RejectionCode | 'valid'
  /** Why OpenSSL accepts what we refuse. */
  readonly stricter?: string
  /** Why OpenSSL refuses what is valid. */
  readonly found?: string
}

/** The trust anchor of most cases. */
export const ROOT: Made = makeAuthority({ subject: 'root' })

/** An intermediate, with its client. */
export const under = (
  authority: Partial<Parameters<typeof makeAuthority>[0]>,
  client: Parameters<typeof makeClient>[0] = {},
): Chain => {
  const signer = makeAuthority({ subject: 'intermediate', signer: ROOT, ...authority })
  return { leaf: makeClient({ signer, ...client }), others: [signer], anchors: [ROOT] }
}

/** A client of the anchor. */
export const alone = (client: Parameters<typeof makeClient>[0] = {}): Chain => ({
  leaf: makeClient({ signer: ROOT, ...client }),
  anchors: [ROOT],
})

/** CAs in a row, the last signing the client. */
export const row = (count: number, wishes: (index: number) => object = () => ({})): Chain => {
  const authorities: Made[] = []
  let signer = ROOT
  for (let index = 0; index < count; index++) {
    signer = makeAuthority({ subject: `ca ${index}`, signer, ...wishes(index) })
    authorities.push(signer)
  }
  return { leaf: makeClient({ signer }), others: authorities.toReversed(), anchors: [ROOT] }
}
