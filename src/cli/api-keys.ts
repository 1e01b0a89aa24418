// `countersign keys api`: makes an API key. The key is printed once and not stored; the key file gets its
// hash and its owner.

import { readFile, realpath, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { hashOf, ID, newApiKey, newKeyId } from '../authenticate/api-key/key.ts'
import { KeysFile } from '../authenticate/api-key/keys-file.ts'
import { withEntry } from '../config/edit.ts'
import { durationSchema } from '../config/values.ts'
import { replaceFile } from '../runtime/atomic-file.ts'
import { CountersignError, describeError, hasCode } from '../runtime/errors.ts'
import { hasControlCharacter } from '../runtime/text.ts'
import type { CommandContext } from './context.ts'

interface Options {
  readonly user: string
  readonly groups: readonly string[]
  readonly uid?: string
  readonly expires?: string
  readonly id?: string
  readonly file?: string
}

/** One entry of a file of keys. */
interface Entry {
  readonly hash: string
  readonly user: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly expires?: string
}

const LIFE = `
The key is printed once, on standard output, and is not stored. Without --file, the entry for the key
file is printed on standard error.

To replace a key without an outage: make another key for the same user, distribute it, and remove the old
entry from the file once the old key is no longer used. To revoke a key, remove its entry from the file or
add "disabled: true" to it. authz reloads a changed file.

Secret scanners find keys by csk_[a-z0-9-]{1,63}_[0-9A-Za-z]{49}; the middle part is the id of the key in
the file and in the audit log.`

const HEADER = `# API keys of Countersign, by id. Hashes only: the keys are not stored.
# \`countersign keys api --help\` describes how to make, replace and revoke them.
`

/** The command. */
export const apiKeyCommand = ({ console }: CommandContext): Command =>
  new Command('api')
    .description('make an API key and its entry in the key file')
    .requiredOption('-u, --user <name>', 'the user that the key authenticates', parseName)
    .addOption(
      new Option('-g, --groups <names>', 'the groups, separated by commas')
        .argParser(parseGroups)
        .default([], 'none'),
    )
    .option('--uid <uid>', 'a stable identifier of the user', parseName)
    .option('-e, --expires <duration>', 'lifetime, such as 90d; default: unlimited', parseExpiry)
    .option('--id <id>', 'its id in the file and in the audit log; default: random', parseId)
    .option('-f, --file <file>', 'the key file; created if it does not exist', (file) =>
      resolve(file),
    )
    .addHelpText('after', LIFE)
    .action(async (options: Options) => {
      const { id = newKeyId(), file } = options
      const key = newApiKey(id)
      const entry = entryOf(key, options)
      // First the entry: a printed key without an entry is not accepted.
      if (file === undefined) console.error(withEntry('', 'keys', id, entry).trimEnd())
      else console.error(await append(file, id, entry))
      console.log(key)
    })

const entryOf = (key: string, { user, uid, groups, expires }: Options): Entry => ({
  hash: hashOf(key),
  user,
  ...(uid === undefined ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(expires === undefined ? {} : { expires }),
})

/** Adds an entry to a file, which it creates when there is none; what was done, as a line of text. */
const append = async (name: string, id: string, entry: Entry): Promise<string> => {
  if (await create(name, id, entry)) return `${name}: created with "${id}"`
  const file = await realpath(name)
  const text = await readFile(file, 'utf8')
  const keys = await KeysFile.parse(file, text)
  if (keys.has(id)) {
    throw new CountersignError('usage', `${file} already has a key with the id "${id}"`)
  }
  const next = withEntry(text, 'keys', id, entry)
  await KeysFile.parse(file, next)
  await replaceFile(file, next)
  return `${file}: added "${id}"`
}

/** Creates the file with its first entry; `false` when the file exists. */
const create = async (file: string, id: string, entry: Entry): Promise<boolean> => {
  try {
    const text = HEADER + withEntry('', 'keys', id, entry)
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    const message = `${file} cannot be created: ${describeError(cause)}`
    throw new CountersignError('usage', message, { cause })
  }
  return true
}

function parseName(text: string): string {
  if (text === '' || text.trim() !== text || hasControlCharacter(text)) {
    throw new InvalidArgumentError('must be a name without leading or trailing white space')
  }
  return text
}

function parseGroups(text: string): readonly string[] {
  return text.split(',').map(parseName)
}

function parseId(text: string): string {
  if (!ID.test(text)) {
    throw new InvalidArgumentError('must be 1 to 63 lower-case letters, digits or "-"')
  }
  return text
}

/** The end of a duration from now, in seconds precision (RFC 3339). */
function parseExpiry(text: string): string {
  const duration = durationSchema.safeParse(text)
  const end = new Date(Date.now() + (duration.success ? duration.data : Number.NaN))
  if (Number.isNaN(end.getTime()) || duration.data === 0) {
    throw new InvalidArgumentError('must be a duration such as 12h or 90d')
  }
  return `${end.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`
}
