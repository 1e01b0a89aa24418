// `countersign signer`: the secret discovery service that mints certificates, until a signal ends it.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { formatAddress } from '../config/values.ts'
import { startSigner } from '../signer.ts'
import { endStart } from '../runtime/start.ts'
import { endSignal } from './signals.ts'

/** The command. */
export const signerCommand = (): Command =>
  new Command('signer')
    .description(
      'run the signer, which mints the certificates that Envoy requests. SIGHUP reloads the configuration and reopens the audit file; SIGUSR2 reopens the audit file alone; SIGTERM ends it',
    )
    .addOption(
      new Option('-c, --config <file>', 'the signer’s configuration file')
        .env('COUNTERSIGN_SIGNER_CONFIG')
        .default(resolve('signer.yaml'), 'signer.yaml')
        .argParser((file) => resolve(file)),
    )
    .action(async ({ config }: { config: string }) => {
      await using signer = await startSigner(config)
      endStart()
      process.on('SIGHUP', () => void signer.reload())
      process.on('SIGUSR2', () => void signer.reopenAudit()) // Node.js has SIGUSR1 for its debugger
      const ended = endSignal() // before the report, since the parent may end the process at once
      process.send?.({ ready: formatAddress(signer.address) }) // to `countersign up`
      await ended
      if (process.connected) process.disconnect() // or the channel would keep the process alive
    })
