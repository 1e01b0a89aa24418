// What files of ours say about a user, beside what proves that it is they.

import { z } from 'zod'

/** The keys of a `strictObject` that describes a user. */
export const accountKeys = {
  uid: z.string().min(1).optional().describe('A stable identifier, unique over time.'),
  groups: z
    .array(z.string().min(1))
    .default([])
    .describe('Groups, in the order they are forwarded.'),
  extra: z
    .record(z.string().min(1), z.array(z.string()).min(1))
    .default({})
    .describe('Further attributes; each value becomes one header line.'),
}
