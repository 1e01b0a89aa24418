#!/usr/bin/env node
// The command: parses arguments and calls the files in cli/.

import { Command } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { authzCommand } from './cli/authz.ts'
import { envoyCommand } from './cli/envoy.ts'
import { hashPasswordCommand } from './cli/hash-password.ts'
import { healthCommand } from './cli/health.ts'
import { keysCommand } from './cli/keys.ts'
import { reportFailure } from './cli/report.ts'
import { signerCommand } from './cli/signer.ts'
import { upCommand } from './cli/up.ts'
import { validateCommand } from './cli/validate.ts'

const program = new Command('countersign')
  .version(packageJson.version)
  .description(
    'Identity transformation for Envoy: proves the credential a caller brings, decides, writes it down, and gives the upstream the credential it wants.',
  )
  .addCommand(authzCommand())
  .addCommand(signerCommand())
  .addCommand(upCommand())
  .addCommand(validateCommand())
  .addCommand(envoyCommand())
  .addCommand(hashPasswordCommand())
  .addCommand(keysCommand())
  .addCommand(healthCommand())
  .showHelpAfterError('Run with --help for what is possible.')

try {
  await program.parseAsync()
} catch (cause) {
  reportFailure(cause)
}
