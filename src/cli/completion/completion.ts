// `countersign completion SHELL`: a script by which a shell completes commands and options, made from the commands themselves.

import { Argument, Command, type Option } from 'commander'
import type { CommandContext } from '../context.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import type { Place, PlaceOption } from './place.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

// commander adds it to every command, and lists it nowhere.
const HELP_OPTION: readonly PlaceOption[] = [
  { long: '--help', short: '-h', takesValue: false, choices: [], about: 'display help' },
]

const isShell = (text: string): text is keyof typeof SCRIPTS => Object.hasOwn(SCRIPTS, text)

const HELP = `
Examples:
  countersign completion bash > ~/.local/share/bash-completion/completions/countersign
  countersign completion zsh > "\${fpath[1]}/_countersign"
  countersign completion fish > ~/.config/fish/completions/countersign.fish
`

/** Makes the command. @param commands every command */
export const completionCommand = (
  { console }: CommandContext,
  commands: () => Promise<readonly Command[]>,
): Command =>
  new Command('completion')
    .description('print a script by which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action(async (shell: string) => {
      if (isShell(shell)) console.log(SCRIPTS[shell](placesOf(await commands())))
    })

/** Every place of a command line that names a command, the root first. */
const placesOf = (commands: readonly Command[]): readonly Place[] => [
  {
    path: '',
    words: commands.map(wordOf),
    options: [...HELP_OPTION, placeOption('--version', '-V', 'print the version')],
  },
  ...commands.flatMap((command) => below('', command)),
]

const below = (parent: string, command: Command): readonly Place[] => {
  const path = `${parent} ${command.name()}`
  return [
    {
      path,
      words: [...command.commands.map(wordOf), ...valuesOf(command)],
      options: [...command.options.filter(({ hidden }) => !hidden).map(optionOf), ...HELP_OPTION],
    },
    ...command.commands.flatMap((part) => below(path, part)),
  ]
}

const wordOf = (command: Command): Place['words'][number] => ({
  name: command.name(),
  about: firstSentence(command.description()),
})

/** The values of the first argument, where it has a list of them. */
const valuesOf = (command: Command): Place['words'] =>
  command.registeredArguments[0]?.argChoices?.map((name) => ({ name, about: '' })) ?? []

const optionOf = (option: Option): PlaceOption => ({
  ...placeOption(
    option.long ?? option.short ?? '',
    option.long === undefined ? undefined : option.short,
    option.description,
  ),
  takesValue: option.required || option.optional,
  choices: option.argChoices ?? [],
})

const placeOption = (long: string, short: string | undefined, about: string): PlaceOption => ({
  long,
  short,
  takesValue: false,
  choices: [],
  about: firstSentence(about),
})

const firstSentence = (text: string): string => text.split(/[.:;\n]/)[0]?.trim() ?? ''
