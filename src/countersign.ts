#!/usr/bin/env node
// The command: parses arguments and calls the files in cli/.

import { Command } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { reportFailure } from './cli/report.ts'

// Only the requested command is loaded: a health check starts fast, and the signer, which
// holds the key of a CA, runs without the code of authz.
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['authz', async () => (await import('./cli/authz.ts')).authzCommand()],
  ['signer', async () => (await import('./cli/signer.ts')).signerCommand()],
  ['up', async () => (await import('./cli/up.ts')).upCommand()],
  ['validate', async () => (await import('./cli/validate.ts')).validateCommand()],
  ['test', async () => (await import('./cli/test/test.ts')).testCommand()],
  ['openapi', async () => (await import('./cli/openapi/openapi.ts')).openapiCommand()],
  ['replay', async () => (await import('./cli/replay/replay.ts')).replayCommand()],
  ['trace', async () => (await import('./cli/trace/trace.ts')).traceCommand()],
  ['explain', async () => (await import('./cli/explain/explain.ts')).explainCommand()],
  ['envoy', async () => (await import('./cli/envoy.ts')).envoyCommand()],
  ['hash-password', async () => (await import('./cli/hash-password.ts')).hashPasswordCommand()],
  ['ca', async () => (await import('./cli/ca/ca.ts')).caCommand()],
  ['keys', async () => (await import('./cli/keys.ts')).keysCommand()],
  ['login', async () => (await import('./cli/login/login.ts')).loginCommand()],
  ['logout', async () => (await import('./cli/login/logout.ts')).logoutCommand()],
  ['credential', async () => (await import('./cli/login/credential.ts')).credentialCommand()],
  ['kubeconfig', async () => (await import('./cli/kubeconfig/kubeconfig.ts')).kubeconfigCommand()],
  ['sessions', async () => (await import('./cli/sessions.ts')).sessionsCommand()],
  ['health', async () => (await import('./cli/health.ts')).healthCommand()],
])

const program = new Command('countersign')
  .version(packageJson.version)
  .description(
    'Identity transformation for Envoy: proves the credential a caller brings, decides, writes it down, and gives the upstream the credential it wants.',
  )
  .showHelpAfterError('Run with --help for what is possible.')

try {
  const asked = COMMANDS.get(process.argv[2] ?? '')
  const wanted = asked === undefined ? [...COMMANDS.values()] : [asked]
  for (const command of await Promise.all(wanted.map((load) => load()))) program.addCommand(command)
  await program.parseAsync()
} catch (cause) {
  reportFailure(cause)
}
