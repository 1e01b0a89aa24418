// `countersign keys`: makes and rotates the keys that authz and the signer share, API keys, and the keys
// that sign tokens.

import { chmod, readFile, realpath, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { isCreationLine, newGrantKeyLines, parseGrantKeys } from '../keys/grant-keys.ts'
import { replaceFile } from '../runtime/atomic-file.ts'
import { CountersignError, describeError, hasCode } from '../runtime/errors.ts'
import { apiKeyCommand } from './api-keys.ts'
import type { CommandContext } from './context.ts'
import { signingKeysCommand } from './signing-keys.ts'

interface Options {
  readonly add?: true
  readonly promote?: true
  readonly prune?: number
  readonly mode: number
}

const ROTATION = `
Rotation without refused requests:
  1. countersign keys grant FILE --add       add a key, which opens grants and seals none yet;
                                             distribute the file to every authz and signer
  2. countersign keys grant FILE --promote   seal with the new key; distribute the file again
  3. countersign keys grant FILE --prune 1   remove the old key, once the longest certificate has expired

Both processes reload a changed file.`

const HEADER = `# Grant keys of Countersign: secrets that only authz and the signer may read.
# One per line: the first seals, all open. \`countersign keys grant --help\` describes their rotation.
`

/** The command. */
export const keysCommand = (context: CommandContext): Command =>
  new Command('keys')
    .description('make and rotate keys')
    .addCommand(grantCommand(context))
    .addCommand(apiKeyCommand(context))
    .addCommand(signingKeysCommand(context))

const grantCommand = ({ console }: CommandContext): Command =>
  new Command('grant')
    .description(
      'make the keyring that authz and the signer share; an existing file is changed only by an option',
    )
    .argument('<file>', 'the keyring')
    .addOption(new Option('--add', 'append a new key').conflicts(['promote', 'prune']))
    .addOption(new Option('--promote', 'move the last key to the front').conflicts('prune'))
    .addOption(
      new Option('--prune <count>', 'keep this many keys from the front').argParser(parseCount),
    )
    .addOption(
      new Option('--mode <mode>', 'file mode of a new keyring')
        .argParser(parseMode)
        .default(0o600, '0600'),
    )
    .addHelpText('after', ROTATION)
    .action(async (file: string, options: Options) => {
      const change = changeFor(options)
      const done =
        change === undefined ? await create(file, options.mode) : await update(file, change)
      console.error(done)
    })

const parseCount = (text: string): number => {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('must be a number from 1')
  return Number(text)
}

const parseMode = (text: string): number => {
  if (!/^0?[0-7]{2}0$/.test(text)) {
    throw new InvalidArgumentError(
      'must be a file mode such as 0640, without access for other users',
    )
  }
  return Number.parseInt(text, 8)
}

/** The lines of a keyring → its new lines. */
type Change = (lines: readonly string[]) => readonly string[]

const changeFor = ({ add, promote, prune }: Options): Change | undefined => {
  if (add === true) return (lines) => [...lines, ...newGrantKeyLines(Date.now())]
  if (promote === true) return promoteLast
  return prune === undefined ? undefined : (lines) => keepFirst(lines, prune)
}

// As `parseGrantKeys` distinguishes them.
const isKey = (line: string): boolean => line.trim() !== '' && !line.trim().startsWith('#')

/** Where the lines of a key begin: with when it was made, if that is known. */
const beginOf = (lines: readonly string[], key: number): number =>
  isCreationLine(lines[key - 1] ?? '') ? key - 1 : key

const promoteLast: Change = (lines) => {
  const last = lines.findLastIndex(isKey)
  const begin = beginOf(lines, last)
  const rest = lines.toSpliced(begin, last + 1 - begin)
  const first = beginOf(lines, lines.findIndex(isKey))
  return rest.toSpliced(first, 0, ...lines.slice(begin, last + 1))
}

const keepFirst = (lines: readonly string[], count: number): readonly string[] => {
  const keys = [...lines.keys()].filter((index) => isKey(lines[index] ?? ''))
  const removed = new Set(keys.slice(count).flatMap((key) => [key, beginOf(lines, key)]))
  return lines.filter((_, index) => !removed.has(index))
}

/** Makes a keyring; what was done, as a line of text. */
const create = async (file: string, mode: number): Promise<string> => {
  try {
    await writeFile(file, `${HEADER}${newGrantKeyLines(Date.now()).join('\n')}\n`, {
      flag: 'wx',
      mode,
    })
  } catch (cause) {
    throw new CountersignError(
      'usage',
      hasCode(cause, 'EEXIST')
        ? `${file} exists; --add appends a new key`
        : `${file} cannot be created: ${describeError(cause)}`,
      { cause },
    )
  }
  await chmod(file, mode) // which the umask may have reduced
  return `${file}: 1 key`
}

/** Changes a keyring in one step; what was done, as a line of text. */
const update = async (name: string, change: Change): Promise<string> => {
  const file = await realpath(name).catch((cause: unknown) => {
    throw new CountersignError('file-unreadable', `${name}: ${describeError(cause)}`, { cause })
  })
  const text = await readFile(file, 'utf8')
  parseGrantKeys(file, text)
  const lines = change(text.trimEnd().split(/\r?\n/))
  const next = `${lines.join('\n')}\n`
  const keys = parseGrantKeys(file, next)
  await replaceFile(file, next)
  return `${file}: ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`
}
