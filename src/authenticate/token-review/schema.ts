// `tokenReview` of an authenticator: tokens that a Kubernetes API server is asked about.

import { z } from 'zod'
import {
  reviewServerKeys,
  reviewServerProblems,
} from '../../clients/kubernetes/review-server-schema.ts'
import { tokenServerKeys } from '../../clients/token-endpoint/server-schema.ts'
import { realmSchema } from '../../config/values.ts'

/** The `tokenReview` section. */
export const tokenReviewSchema = z
  .strictObject({
    realm: realmSchema,
    ...reviewServerKeys,
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
  .superRefine((value, context) => {
    for (const message of reviewServerProblems(value)) context.addIssue({ code: 'custom', message })
  })
  .describe(
    'Bearer tokens that a Kubernetes API server is asked about (TokenReview): those of service accounts, and whatever else it accepts.',
  )

/** The parsed `tokenReview`. */
export type TokenReviewConfig = z.output<typeof tokenReviewSchema>
