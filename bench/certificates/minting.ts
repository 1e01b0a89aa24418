// What a certificate costs the signer in CPU time, by kind of key; the CA's key is of the same kind.

import { z } from 'zod'
import type { Installation } from '../installation.ts'
import type { Size } from '../size.ts'
import { Worker } from '../worker.ts'

/** The kinds of key that are measured. */
export const MINTED_KINDS = ['p256', 'p384', 'ed25519', 'rsa2048'] as const

/** The question to a process that mints. */
export const mintingQuestionSchema = z.object({
  algorithm: z.enum(MINTED_KINDS),
  /** Certificates and new keys in each round. */
  certificates: z.int(),
  keys: z.int(),
  rounds: z.int(),
  /** A folder to be made. */
  folder: z.string(),
})

/** The question to a process that mints. */
export type MintingQuestion = z.output<typeof mintingQuestionSchema>

const partsSchema = z.object({
  open: z.number(),
  limits: z.number(),
  /** TBSCertificate and Certificate, with a signature that is there already. */
  der: z.number(),
  sign: z.number(),
  verify: z.number(),
  /** Of the certificate and of its key. */
  pem: z.number(),
})

const costSchema = z.object({
  parts: partsSchema,
  /** All parts and the audit event, with a key that is there already. */
  issue: z.number(),
  /** A new key, in whichever thread. */
  key: z.number(),
  /** What `der`, `sign` and `pem` cost with @peculiar/x509. */
  library: z.number(),
})

/** Microseconds of CPU for a certificate. */
export type MintingCost = z.output<typeof costSchema>
/** The parts of an issuance. */
export type MintingParts = z.output<typeof partsSchema>

/** The cost by kind of key. */
export type MintingCosts = Readonly<Record<(typeof MINTED_KINDS)[number], MintingCost>>

/** Measures it, each kind in a process of its own. */
export const measureMinting = async (
  installation: Installation,
  { minted: certificates, mintedKeys: keys, mintingRounds: rounds }: Size,
): Promise<MintingCosts> => {
  const measure = async (algorithm: MintingQuestion['algorithm']): Promise<MintingCost> => {
    await using worker = new Worker('mint')
    const folder = installation.file(`mint-${algorithm}`)
    const question: MintingQuestion = { algorithm, certificates, keys, rounds, folder }
    return await worker.ask(question, costSchema)
  }
  return {
    p256: await measure('p256'),
    p384: await measure('p384'),
    ed25519: await measure('ed25519'),
    rsa2048: await measure('rsa2048'),
  }
}
