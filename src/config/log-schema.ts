// `log`: the operational log, in the configurations of authz and of the signer alike.

import * as z from 'zod'

/** The `log` section. */
export const logSchema = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('The least severe message that is logged.'),
  })
  .prefault({})
  .describe('The operational log, on standard error.')
