// `countersign authz`: the ext_authz service, until a signal ends it.

import { Command } from 'commander'
import { startAuthz } from '../authz.ts'
import { formatAddress } from '../config/values.ts'
import { endStart } from '../runtime/start.ts'
import { configOption } from './options.ts'
import { endSignal } from './signals.ts'

/** The command. */
export const authzCommand = (): Command =>
  new Command('authz')
    .description(
      'run the ext_authz service for Envoy. SIGHUP reloads the configuration, clears the credential cache and reopens the audit file; SIGUSR2 reopens the audit file alone; SIGTERM completes requests in progress and exits',
    )
    .addOption(configOption())
    .action(async ({ config }: { config: string }) => {
      await using authz = await startAuthz(config)
      endStart()
      process.on('SIGHUP', () => void authz.reload())
      process.on('SIGUSR2', () => void authz.reopenAudit()) // Node.js has SIGUSR1 for its debugger
      const ended = endSignal() // before the report, since the parent may end the process at once
      process.send?.({ ready: formatAddress(authz.address) }) // to `countersign up`
      await ended
      if (process.connected) process.disconnect() // or the channel would keep the process alive
    })
