// The command line: which commands there are, and running the one that is named.

import { Command, CommanderError } from 'commander'
import { VERSION } from '../runtime/version.ts'
import { beginStart, endStart } from '../runtime/start.ts'
import { hasCode } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { addNotes, usageExitCode } from './notes.ts'
import { reportFailure } from './report.ts'

type Load = (context: CommandContext) => Promise<Command>

// Only the requested command is loaded: a health check starts fast, and the signer, which
// holds the key of a CA, runs without the code of authz.
const COMMANDS: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['authz', async () => (await import('./authz.ts')).authzCommand()],
  ['signer', async () => (await import('./signer.ts')).signerCommand()],
  ['metrics', async () => (await import('./metrics.ts')).metricsCommand()],
  ['init', async (context) => (await import('./init/init.ts')).initCommand(context)],
  ['up', async () => (await import('./up/up.ts')).upCommand()],
  ['validate', async (context) => (await import('./validate.ts')).validateCommand(context)],
  ['doctor', async (context) => (await import('./doctor.ts')).doctorCommand(context)],
  ['schema', async (context) => (await import('./schema.ts')).schemaCommand(context)],
  ['test', async (context) => (await import('./test/test.ts')).testCommand(context)],
  ['openapi', async (context) => (await import('./openapi/openapi.ts')).openapiCommand(context)],
  ['replay', async (context) => (await import('./replay/replay.ts')).replayCommand(context)],
  ['reason', async (context) => (await import('./reason.ts')).reasonCommand(context)],
  ['debug', async (context) => (await import('./debug.ts')).debugCommand(context)],
  ['trace', async (context) => (await import('./trace/trace.ts')).traceCommand(context)],
  ['audit', async (context) => (await import('./audit/audit.ts')).auditCommand(context)],
  ['explain', async (context) => (await import('./explain/explain.ts')).explainCommand(context)],
  ['envoy', async (context) => (await import('./envoy.ts')).envoyCommand(context)],
  [
    'hash-password',
    async (context) => (await import('./hash-password.ts')).hashPasswordCommand(context),
  ],
  ['ca', async (context) => (await import('./ca/ca.ts')).caCommand(context)],
  ['keys', async (context) => (await import('./keys.ts')).keysCommand(context)],
  ['login', async (context) => (await import('./login/login.ts')).loginCommand(context)],
  ['logout', async (context) => (await import('./login/logout.ts')).logoutCommand(context)],
  [
    'credential',
    async (context) => (await import('./login/credential.ts')).credentialCommand(context),
  ],
  [
    'kubeconfig',
    async (context) => (await import('./kubeconfig/kubeconfig.ts')).kubeconfigCommand(context),
  ],
  ['sessions', async (context) => (await import('./sessions.ts')).sessionsCommand(context)],
  ['state', async (context) => (await import('./state.ts')).stateCommand(context)],
  ['health', async (context) => (await import('./health.ts')).healthCommand(context)],
  [
    'completion',
    async (context) =>
      (await import('./completion/completion.ts')).completionCommand(
        context,
        async () => await allCommands(context),
      ),
  ],
])

const SERVICES: ReadonlySet<string> = new Set(['authz', 'signer'])

/** Every command: for completion, and what describes or checks them. */
export const allCommands = async (context: CommandContext): Promise<readonly Command[]> => {
  const commands = await Promise.all([...COMMANDS.values()].map((load) => load(context)))
  for (const command of commands) addNotes(command)
  return commands
}

/**
 * Runs the command that `process.argv` names, to its end, and sets `process.exitCode`. It reports failures,
 * and never throws.
 */
export const main = async (context: CommandContext): Promise<void> => {
  const { argv } = context.process
  const name = argv[2] ?? ''
  const program = new Command('countersign')
    .version(VERSION)
    .description(
      'Identity transformation for Envoy: proves the credential a caller brings, decides, writes it down, and gives the upstream the credential it wants.',
    )
    .showHelpAfterError('Run with --help for what is possible.')
  if (SERVICES.has(name)) beginStart() // until it is ready
  context.process.stdout.on('error', ignoreClosedPipe)
  try {
    for (const command of await Promise.all(loadsOf(name).map((load) => load(context)))) {
      addNotes(command)
      program.addCommand(command)
    }
    endInContext(program, context)
    await program.parseAsync(argv)
  } catch (cause) {
    if (!(cause instanceof CommanderError)) reportFailure(context, cause)
    else if (cause.exitCode !== 0) context.process.exitCode = usageExitCode(argv.slice(2))
  } finally {
    endStart()
  }
}

/** A reader that has enough, such as `head`, closes the pipe; that is not a failure. */
const ignoreClosedPipe = (cause: Error): void => {
  if (!hasCode(cause, 'EPIPE')) throw cause
}

/** What the first word needs: its command, nothing for the version, else all commands, which the help describes. */
const loadsOf = (name: string): readonly Load[] => {
  if (name === '-V' || name === '--version') return []
  const named = COMMANDS.get(name)
  return named === undefined ? [...COMMANDS.values()] : [named]
}

/** Has commander write to the streams of the context, and throw in place of ending the process. */
const endInContext = (command: Command, context: CommandContext): void => {
  const { stdout, stderr } = context.process
  command.exitOverride().configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
  })
  for (const part of command.commands) endInContext(part, context)
}
