// The events of reloads, of authz and of the signer.

import * as z from 'zod'
import type { Frozen } from './frozen.ts'

/** A configuration came into force. */
export const configurationLoadedEvent = z
  .strictObject({
    event: z.literal('configuration-loaded'),
    generation: z.int().describe('Counted from 1 since the start.'),
    file: z.string().describe('The configuration file.'),
  })
  .describe('A configuration came into force.')

/** A configuration was refused. */
export const configurationRejectedEvent = z
  .strictObject({
    event: z.literal('configuration-rejected'),
    generation: z.int().describe('The generation that stays in force.'),
    file: z.string().describe('The configuration file.'),
    problems: z.array(z.string()).describe('Every problem, with line and column.'),
  })
  .describe('A configuration was refused; the one before it stays in force.')

/** A configuration came into force. */
export type ConfigurationLoadedEvent = Frozen<z.output<typeof configurationLoadedEvent>>
/** A configuration was refused. */
export type ConfigurationRejectedEvent = Frozen<z.output<typeof configurationRejectedEvent>>
