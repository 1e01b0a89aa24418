// Real shells that complete a command line by the scripts of `countersign completion`.

import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { findProgram } from '../../../src/runtime/child.ts'
import { atTerminal } from '../../servers/terminal.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'

/** The shells. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/**
 * For `skip` of node:test: the reason to skip the tests of a shell, or `false` where it is there. Throws where `CI` is
 * `true`: there it is a fault that it is missing.
 */
export const skipWithoutShell = (shell: Shell): string | false => {
  const needed = [shell, 'script'].filter((program) => findProgram(program) === undefined)
  if (needed.length === 0) return false
  const missing = `no ${needed.join(', ')}: "sudo sh scripts/test-servers.sh" installs it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

/** Completes the last word of a command line, in a folder; resolves with the words after `countersign`. */
export type Complete = (line: string) => Promise<readonly string[]>

const PROMPT = 'READY> '
/** In the place of the command: it shows what the shell has made of the line. */
const SHOW = `countersign() { printf 'WORDS'; printf '<%s>' "$@"; echo; }`

/** Installs a script in a shell that is new for each line. The shell is in the sub-folder `work`. */
export const shellWith = async (
  shell: Shell,
  script: string,
  folder: TemporaryFolder,
): Promise<Complete> => {
  await mkdir(folder.file('work'))
  await writeFile(folder.file('_countersign'), script)
  await writeFile(folder.file('.inputrc'), '')
  await writeFile(
    folder.file('.bashrc'),
    `PS1='${PROMPT}'; source ${folder.file('_countersign')}; ${SHOW}; cd ${folder.file('work')}\n`,
  )
  await writeFile(
    folder.file('.zshrc'),
    `fpath=(${folder.path} $fpath); autoload -Uz compinit; compinit -u -D; PS1='${PROMPT}'; ${SHOW}; cd ${folder.file('work')}\n`,
  )
  switch (shell) {
    case 'bash':
      return atPrompt(['bash', '--rcfile', folder.file('.bashrc'), '-i'], folder)
    case 'zsh':
      return atPrompt(['zsh', '-i'], folder)
    case 'fish':
      return async (line) => fishCompletes(line, folder)
  }
}

/** Types the line, the tab key and the enter key. */
const atPrompt =
  (command: readonly string[], { path }: TemporaryFolder): Complete =>
  async (line) => {
    await using terminal = atTerminal(command, {
      HOME: path,
      ZDOTDIR: path,
      INPUTRC: `${path}/.inputrc`,
    })
    await terminal.shows(new RegExp(PROMPT))
    terminal.type(`countersign ${line}\t`)
    const [, words = ''] = await terminal.shows(/WORDS(<.*>)\n/)
    return words.slice(1, -1).split('><')
  }

/** What fish offers for a line that is not run; where it offers one word, the line with it. */
const fishCompletes = (line: string, folder: TemporaryFolder): readonly string[] => {
  const program = `source ${folder.file('_countersign')}; cd ${folder.file('work')}; complete -C ${JSON.stringify(`countersign ${line}`)}`
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '--command', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder.path, TERM: 'dumb' },
  })
  if (stderr !== '') throw new Error(stderr)
  const offered = stdout.split('\n').flatMap((entry) => entry.split('\t')[0] || [])
  const before = line.split(' ').slice(0, -1)
  return offered.length === 1 ? [...before, ...offered] : offered
}
