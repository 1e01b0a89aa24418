// `countersign completion SHELL`: a script by which a shell completes commands and options, made from the commands themselves.

import { Argument, Command, type Option } from 'commander'
import type { CommandContext } from '../context.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import type { Place } from './place.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

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
  { path: '', words: commands.map(wordOf), options: [] },
  ...commands.flatMap((command) => below('', command)),
]

const below = (parent: string, command: Command): readonly Place[] => {
  const path = `${parent} ${command.name()}`
  return [
    {
      path,
      words: command.commands.map(wordOf),
      options: command.options.filter(({ hidden }) => !hidden).map(optionOf),
    },
    ...command.commands.flatMap((part) => below(path, part)),
  ]
}

const wordOf = (command: Command): Place['words'][number] => ({
  name: command.name(),
  about: firstSentence(command.description()),
})

const optionOf = (option: Option): Place['options'][number] => ({
  long: option.long ?? option.short ?? '',
  short: option.long === undefined ? undefined : option.short,
  takesValue: option.required || option.optional,
  about: firstSentence(option.description),
})

const firstSentence = (text: string): string => text.split(/[.:;\n]/)[0]?.trim() ?? ''
