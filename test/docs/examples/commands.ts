// Checks the commands of shell examples: those of Countersign by its own command line, whose actions are left out; npm
// scripts and files of the repository by their names; other programs by a list, since a misspelt name is a mistake, too.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { Command, CommanderError } from 'commander'
import packageJson from '../../../package.json' with { type: 'json' }
import { allCommands } from '../../../src/cli/main.ts'
import { ROOT } from '../markdown.ts'
import { commandsIn, type Words } from './shell.ts'

/** Programs that examples may use and that are not run here. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'alias',
  'apt',
  'cat',
  'cd',
  'chgrp',
  'chmod',
  'chown',
  'cmp',
  'cosign',
  'cp',
  'curl',
  'cut',
  'diff',
  'docker',
  'echo',
  'export',
  'freeradius',
  'git',
  'grep',
  'head',
  'helm',
  'install',
  'istioctl',
  'journalctl',
  'jq',
  'kill',
  'kubectl',
  'ls',
  'mkdir',
  'mv',
  'node',
  'openssl',
  'printf',
  'python3',
  'radtest',
  'redis-cli',
  'rm',
  'sed',
  'sh',
  'sha256sum',
  'sleep',
  'systemctl',
  'tail',
  'tar',
  'tee',
  'tr',
])

/** What is wrong with a shell example. */
export const commandProblems = async (text: string): Promise<readonly string[]> => {
  const { status, stderr } = spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' })
  if (status !== 0) return [stderr]
  const problems: string[] = []
  for (const words of commandsIn(text)) problems.push(...(await problemsOf(words)))
  return problems
}

const problemsOf = async (words: Words): Promise<readonly string[]> => {
  if (words[0] === 'sudo') return await problemsOf(words.slice(words[1] === '-u' ? 3 : 1))
  const own = ownArguments(words)
  if (own !== undefined) return await ownProblems(own)
  const [program = '', ...rest] = words
  if (program === 'npm' || program === 'npx') return npmProblems(words)
  if (/^\.?\/?[\w-]+\//.test(program)) return fileProblems(words)
  if (!PROGRAMS.has(program)) return [`${program} is not in the list of programs`]
  return fileProblems(rest)
}

/** The arguments of `countersign`, however it is run. */
const ownArguments = (words: Words): Words | undefined => {
  const text = words.join('\n')
  const run = /^(?:npx\n)?countersign(?:\n|$)|^npm\nrun\ncountersign\n--\n|^src\/countersign\.ts\n/
  const start = run.exec(text)?.[0]
  return start === undefined ? undefined : text.slice(start.length).split('\n').filter(Boolean)
}

const ownProblems = async (words: Words): Promise<readonly string[]> => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const program = new Command('countersign').version('0')
  const context = {
    process: { argv: [], env: {}, stdin: process.stdin, stdout, stderr },
    console: new Console({ stdout, stderr }),
  }
  for (const command of await allCommands(context)) program.addCommand(command)
  withoutActions(program)
  try {
    await program.parseAsync(words, { from: 'user' })
    return []
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause
    return cause.exitCode === 0 ? [] : [`countersign ${words.join(' ')}: ${cause.message}`]
  }
}

const withoutActions = (command: Command): void => {
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} })
  if (command.commands.length === 0 && command.name() !== 'countersign') command.action(() => {})
  for (const part of command.commands) withoutActions(part)
}

const npmProblems = ([program = '', verb = '', script = '', ...rest]: Words): readonly string[] => {
  if (program === 'npx' || ['install', 'ci', 'pack'].includes(verb)) return []
  const name = verb === 'run' ? script : verb
  if (!(name in packageJson.scripts)) return [`package.json has no script ${name}`]
  return fileProblems(rest)
}

// Paths of the repository. Of other paths no page can say that they exist.
const TRACKED = /^(?:\.\/)?(?:bench|demo|deploy|docs|envoy|scripts|src|test)\/[\w./-]+$/

const fileProblems = (words: Words): readonly string[] =>
  words
    .map((word) => word.split('=').at(-1) ?? '')
    .filter((word) => TRACKED.test(word) && !isDeployment(word) && !existsSync(join(ROOT, word)))
    .map((word) => `${word} does not exist`)

/** `deploy/NAME` is an object of Kubernetes. */
const isDeployment = (word: string): boolean => /^deploy\/[\w-]+$/.test(word)
