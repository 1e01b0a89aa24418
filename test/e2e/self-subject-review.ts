// The answer of a Kubernetes API server to SelfSubjectReview.

import * as z from 'zod'

/** The user and the groups that the API server reports. */
export const reviewSchema = z.object({
  status: z.object({
    userInfo: z.object({ username: z.string(), groups: z.array(z.string()) }),
  }),
})
