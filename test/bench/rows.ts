// What the rows of the bench have, and those of certificates.

import { z } from 'zod'

/** A figure that is measured. */
export const positive = z.number().positive()
const figures = {
  requests: positive,
  requestsPerSecond: positive,
  p50: positive,
  p90: positive,
  p99: positive,
  p999: positive,
  longest: positive,
  // Of a few requests it may be below what the kernel counts.
  loadCpu: z.number().nonnegative(),
}
/** A row. */
export const row = z.object({
  name: z.string(),
  ...figures,
  rounds: z.array(z.object(figures)).min(1),
})
/** A row of an authorizer; zod's numbers are finite. */
export const authorizerRow = row.extend({ cpu: positive, ratio: positive, resident: positive })
/** With one request at a time too. */
export const knownRow = authorizerRow.extend({ alone: positive })
const ofProcesses = z.object({ authz: z.number(), signer: z.number(), envoy: z.number() })
const memory = ofProcesses.extend({ envoyHeap: z.number() })
const minting = z.object({
  parts: z.object({
    open: positive,
    limits: positive,
    der: positive,
    sign: positive,
    verify: positive,
    pem: positive,
  }),
  issue: positive,
  key: positive,
  library: positive,
})
/** The results of certificates. */
export const certificatesSchema = z.object({
  warm: z.object({ direct: z.array(knownRow), envoy: z.array(knownRow) }),
  minting: z.object({ p256: minting, p384: minting, ed25519: minting, rsa2048: minting }),
  firstRequest: z
    .object({
      identities: z.int().positive(),
      p50: positive,
      p90: positive,
      p99: positive,
      max: positive,
      cpu: ofProcesses,
    })
    .optional(),
  live: z
    .object({
      identities: z.int().positive(),
      misattributed: z.literal(0),
      connections: z.int(),
      streams: z.int(),
      memory,
    })
    .optional(),
  targets: z.array(
    z.object({ name: z.string(), most: positive, measured: z.number(), met: z.boolean() }),
  ),
})
