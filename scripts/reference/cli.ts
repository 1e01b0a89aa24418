// docs/reference/cli.md: every command, from the definitions that print its help.

import { PassThrough, Readable } from 'node:stream'
import type { Argument, Command, Option } from 'commander'
import type { CommandContext } from '../../src/cli/context.ts'
import { allCommands } from '../../src/cli/main.ts'
import { NOTES, notesText } from '../../src/cli/notes.ts'
import { block, code, codes, table, type ReferencePage } from './markdown.ts'

/** The page. */
export const cliPage = async (): Promise<ReferencePage> => ({
  file: 'docs/reference/cli.md',
  title: 'Command line',
  from: 'src/cli/',
  body: [
    '`countersign COMMAND --help` prints the same. Paths are relative to the working directory. Where an option has an environment variable, the option on the command line comes first.',
    ...(await leaves()).flatMap(({ words, command }) => section(words, command)),
  ],
})

/** A command that does something, and its words. */
export interface Leaf {
  readonly words: readonly string[]
  readonly command: Command
}

// The definitions read nothing of it: only the actions do.
const CONTEXT: CommandContext = {
  process: {
    argv: [],
    env: {},
    stdin: Readable.from([]),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  },
  console,
}

/** Every command that does something. */
export const leaves = async (): Promise<readonly Leaf[]> =>
  (await allCommands(CONTEXT)).flatMap((command) => below([], command))

const below = (above: readonly string[], command: Command): readonly Leaf[] => {
  const words = [...above, command.name()]
  return command.commands.length === 0
    ? [{ words, command }]
    : command.commands.flatMap((part) => below(words, part))
}

const section = (words: readonly string[], command: Command): readonly string[] => {
  const { exitCodes = {}, examples = [] } = NOTES[words.join(' ')] ?? {}
  const { parent } = command
  const help = helpAfter(command)
  return [
    `## ${words.join(' ')}`,
    sentence(command.description()),
    block('text', usageOf(words, command)),
    ...argumentTable(command.registeredArguments),
    ...optionTable(command.options.filter(({ hidden }) => !hidden)),
    ...(help === '' ? [] : [block('text', help)]),
    ...(parent !== null && parent.commands.at(-1) === command ? groupHelp(parent) : []),
    ...(examples.length === 0
      ? []
      : ['Examples:', block(exampleFence(words.join(' ')), examples.join('\n'))]),
    table(
      ['exit code', 'meaning'],
      Object.entries(exitCodes).map(([status, meaning]) => [status, sentence(meaning)]),
    ),
  ]
}

/** What services print when they are ready. */
const READY: Readonly<Record<string, string>> = {
  authz: 'listening',
  signer: 'listening',
  metrics: 'listening',
  up: 'ready, listening on',
}

/** Why the examples of a command are not executed as they are. */
const NOT_RUN: Readonly<Record<string, string>> = {
  debug: 'follows a running authz; test/cli/debug does it',
  'audit list': '--follow does not end; test/cli/audit lists such logs',
  'audit verify': 'needs a log with checkpoints; test/cli/audit verifies such logs',
  'audit forward': 'needs a log with a sink; test/cli/audit forwards one',
  'audit public-key': 'needs a key; docs/operate/audit-log.md makes one and runs it',
}

/** The tests execute all other examples. */
const exampleFence = (words: string): string => {
  if (words in READY) return `sh start="${READY[words]}"`
  return words in NOT_RUN ? `sh no-run="${NOT_RUN[words]}"` : 'sh run'
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`

const usageOf = (words: readonly string[], command: Command): string => {
  const values = command.registeredArguments.map(shownArgument)
  return [
    'countersign',
    ...words,
    ...(command.options.length > 0 ? ['[options]'] : []),
    ...values,
  ].join(' ')
}

const shownArgument = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

const argumentTable = (values: readonly Argument[]): readonly string[] =>
  values.length === 0
    ? []
    : [
        table(
          ['argument', 'default', 'meaning'],
          values.map((argument) => [
            code(argument.name()),
            argument.required ? 'required' : defaultOf(argument),
            withChoices(argument.description, argument.argChoices),
          ]),
        ),
      ]

const optionTable = (options: readonly Option[]): readonly string[] =>
  options.length === 0
    ? []
    : [
        table(
          ['option', 'default', 'environment', 'meaning'],
          options.map((option) => [
            code(option.flags),
            option.mandatory ? 'required' : option.negate ? '' : defaultOf(option),
            option.envVar === undefined ? '' : code(option.envVar),
            withChoices(option.description, option.argChoices),
          ]),
        ),
      ]

const defaultOf = ({
  defaultValue,
  defaultValueDescription,
}: Pick<Option, 'defaultValue' | 'defaultValueDescription'>): string => {
  const value: unknown = defaultValueDescription ?? defaultValue
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return ''
  return code(typeof value === 'string' ? value : JSON.stringify(value))
}

const withChoices = (description: string, choices: readonly string[] | undefined): string =>
  choices === undefined
    ? sentence(description)
    : `${sentence(description)} One of ${codes(choices)}.`

/** The help that commands above this one have. */
const groupHelp = (command: Command): readonly string[] => {
  const help = helpAfter(command)
  return help === ''
    ? []
    : [`For all of \`countersign ${wordsOf(command).join(' ')}\`:`, block('text', help)]
}

const wordsOf = (command: Command): readonly string[] => [
  ...(command.parent === null ? [] : wordsOf(command.parent)),
  command.name(),
]

/** What the help of a command says after its options, without examples and exit codes of the notes. */
const helpAfter = (command: Command): string => {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  const notes = NOTES[wordsOf(command).join(' ')]
  return text
    .slice(command.helpInformation().length)
    .replace(notes === undefined ? '' : notesText(notes), '')
    .trim()
}
