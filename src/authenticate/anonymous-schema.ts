// `anonymous` of an authenticator.

import * as z from 'zod'

/** The `anonymous` section. */
export const anonymousSchema = z
  .strictObject({
    user: z.string().min(1).default('anonymous').describe('The user name of an anonymous caller.'),
    groups: z.array(z.string().min(1)).default([]).describe('The groups.'),
  })
  .describe(
    'Callers without a credential. It must be the last authenticator of a route. A request with a credential that the route does not accept is still refused.',
  )

/** The parsed `anonymous`. */
export type AnonymousConfig = z.output<typeof anonymousSchema>
