// `countersign validate`: everything that a start would find wrong, without starting.

import { Command } from 'commander'
import { FactMemory } from '../authenticate/facts.ts'
import { HashPool } from '../authenticate/password/hash.ts'
import { buildSnapshot } from '../check/snapshot.ts'
import { ConfigurationFiles } from '../config/files.ts'
import { systemClock } from '../runtime/clock.ts'
import { configOption } from './options.ts'

/** The command. */
export const validateCommand = (): Command =>
  new Command('validate')
    .description(
      'check a configuration and every file it names; exits with 1 and lists all problems',
    )
    .addOption(configOption())
    .action(async ({ config }: { config: string }) => {
      const files = new ConfigurationFiles()
      const resources = {
        memory: new FactMemory(systemClock),
        hashes: new HashPool(),
        clock: systemClock,
      }
      const { config: valid } = await buildSnapshot(config, files, resources)
      console.log(
        `${config} is valid: ${valid.routes.length} routes, ${files.paths.length} files read`,
      )
    })
