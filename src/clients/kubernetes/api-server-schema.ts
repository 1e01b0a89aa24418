// `apiServer` of a route: the API server for rules with `subjectAccessReview`.

import * as z from 'zod'
import { reviewServerKeys, reviewServerProblems } from './review-server-schema.ts'
import { tokenServerKeys } from '../token-endpoint/server-schema.ts'
import { durationSchema } from '../../config/values.ts'

/** The `apiServer` section. */
export const apiServerSchema = z
  .strictObject({
    ...reviewServerKeys,
    ...tokenServerKeys,
    cacheTtl: durationSchema
      .prefault('10s')
      .describe(
        'How long an answer is cached. A changed role binding takes effect after at most this time. `0s`: no caching.',
      ),
    concurrency: z.int().min(1).default(256).describe('Requests at a time; further ones wait.'),
  })
  .superRefine((value, context) => {
    for (const message of reviewServerProblems(value)) context.addIssue({ code: 'custom', message })
  })
  .describe(
    'The Kubernetes API server that answers `subjectAccessReview` of a rule: about the caller, also where the request impersonates another user; on routes of `kind: http` about the path and the method in lower case (`nonResourceURLs` of a ClusterRole).',
  )

/** The parsed `apiServer`. */
export type ApiServerConfig = z.output<typeof apiServerSchema>
