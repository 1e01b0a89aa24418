// `countersign state`: copies the state of a running authz.

import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import type { CommandContext } from './context.ts'
import { configOption } from './options.ts'
import { usageError } from './usage-error.ts'

interface BackupOptions {
  readonly config: string
  readonly output: string
}

const ABOUT = `
authz may run meanwhile. The copy has everything that was stored when the command began. Restore it as the
state file of an authz that does not run, without files "-wal" and "-shm" next to it, and with the same
secret: the file with the name of the state file and ".secret", or "secret" of the configuration.
What was ended after the backup is valid again then: "countersign sessions end --all" ends it.`

/** The command. */
export const stateCommand = (context: CommandContext): Command =>
  new Command('state').description('back up the state').addCommand(backupCommand(context))

const backupCommand = ({ console }: CommandContext): Command =>
  new Command('backup')
    .description('copy the state file, while authz uses it')
    .addOption(configOption())
    .requiredOption('-o, --output <file>', 'the copy, a new file with mode 0600')
    .addHelpText('after', ABOUT)
    .action(async ({ config: file, output }: BackupOptions) => {
      const { config } = await readConfig(file, new ConfigurationFiles())
      const { sqlite } = config.state
      if (sqlite === undefined) {
        throw usageError(
          `${file}: "state" is not a SQLite file. Back up Redis by its own means; what is in memory ends with authz`,
        )
      }
      const { backUp } = await import('../state/sqlite/backup.ts')
      const bytes = backUp(sqlite.file, resolve(output))
      console.error(`${output}: ${bytes} bytes`)
    })
