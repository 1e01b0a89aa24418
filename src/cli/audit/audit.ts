// `countersign audit`: reads audit logs and proves that they are complete.

import { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { forwardCommand } from './forward.ts'
import { listCommand } from './list.ts'
import { publicKeyCommand } from './public-key.ts'
import { verifyCommand } from './verify.ts'

/** The command. */
export const auditCommand = (context: CommandContext): Command =>
  new Command('audit')
    .description(
      'read audit logs, verify that nothing in them was changed or removed, and send them',
    )
    .addCommand(listCommand(context))
    .addCommand(verifyCommand(context))
    .addCommand(publicKeyCommand(context))
    .addCommand(forwardCommand(context))
