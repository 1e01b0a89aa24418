// `tokenReview` of an authenticator: tokens that a Kubernetes API server is asked about.

import { z } from 'zod'
import { tokenServerKeys } from './token-server-schema.ts'
import { pathSchema, realmSchema, secretSchema } from './values.ts'

/** The `tokenReview` section. */
export const tokenReviewSchema = z
  .strictObject({
    realm: realmSchema,
    inCluster: z
      .boolean()
      .default(false)
      .describe(
        'Asks the API server of the cluster that we run in, by the service account of our own pod. It needs the ClusterRole `system:auth-delegator`.',
      ),
    server: z.string().optional().describe('The API server, such as `https://10.0.0.1:6443`.'),
    ca: pathSchema
      .optional()
      .describe('PEM file: the CAs of its certificate. Default: Node’s own.'),
    token: secretSchema
      .optional()
      .describe('The token that proves us to it. A file is read again when it changes.'),
    client: z
      .strictObject({
        certificate: pathSchema.describe('PEM file: the certificate with its chain.'),
        key: secretSchema.describe('Its private key, PEM.'),
      })
      .optional()
      .describe('The certificate that proves us to it.'),
    audiences: z
      .array(z.string().min(1))
      .default([])
      .describe('At least one of them must be the token’s. Default: those of the API server.'),
    issuers: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Only JWTs that name one of these as `iss` are shown to the API server; the others are passed on. Default: every token that gets here.',
      ),
    ...tokenServerKeys,
  })
  .refine(
    ({ inCluster, server }) => inCluster !== (server !== undefined),
    'must have "server" or "inCluster: true", and not both',
  )
  .refine(
    ({ inCluster, token, client, ca }) =>
      !inCluster || [token, client, ca].every((key) => key === undefined),
    '"inCluster" brings a token and a CA of its own',
  )
  .refine(
    ({ inCluster, token, client }) => inCluster || (token === undefined) !== (client === undefined),
    'must have exactly one of "token" and "client"',
  )
  .describe(
    'Bearer tokens that a Kubernetes API server is asked about (TokenReview): those of service accounts, and whatever else it accepts.',
  )

/** The parsed `tokenReview`. */
export type TokenReviewConfig = z.output<typeof tokenReviewSchema>
