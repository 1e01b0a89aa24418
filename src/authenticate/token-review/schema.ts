// `tokenReview` of an authenticator: tokens that a Kubernetes API server reviews.

import * as z from 'zod'
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
      .describe(
        'The token must be valid for at least one of them. Default: those of the API server.',
      ),
    issuers: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Only JWTs with one of these as `iss` are sent to the API server; further tokens are left to the next authenticator. Default: every token.',
      ),
    ...tokenServerKeys,
  })
  .superRefine((value, context) => {
    for (const message of reviewServerProblems(value)) context.addIssue({ code: 'custom', message })
  })
  .describe(
    'Bearer tokens verified by a Kubernetes API server (TokenReview): service account tokens, and all further tokens that it accepts.',
  )

/** The parsed `tokenReview`. */
export type TokenReviewConfig = z.output<typeof tokenReviewSchema>
