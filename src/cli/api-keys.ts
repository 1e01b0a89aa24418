// `countersign keys api`: makes an API key. The key itself is printed once and kept nowhere; its hash
// and its owner go into the file of keys.

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
The key is printed on standard output, once: it is kept nowhere. Without --file, the entry for the
file of keys is printed on standard error.

To replace a key without an outage: make another for the same user, hand it out, and take the entry
of the old one out of the file once it is used no more. To revoke a key, take its entry out of the
file or write "disabled: true" into it. authz notices a changed file by itself.

Scanners for leaked secrets find keys by csk_[a-z0-9-]{1,63}_[0-9A-Za-z]{49}; the middle part is the
id under which the key stands in the file and in the audit log.`

const HEADER = `# API keys of Countersign, by id. Hashes only: the keys themselves are nowhere.
# \`countersign keys api --help\` says how to make, replace and revoke them.
`

/** The command. */
export const apiKeyCommand = (): Command =>
  new Command('api')
    .description('make an API key and its entry in the file of keys')
    .requiredOption('-u, --user <name>', 'whose key it is', parseName)
    .addOption(
      new Option('-g, --groups <names>', 'the groups, separated by commas')
        .argParser(parseGroups)
        .default([], 'none'),
    )
    .option('--uid <uid>', 'a stable identifier of the user', parseName)
    .option('-e, --expires <duration>', 'when it ends, such as 90d; default: never', parseExpiry)
    .option(
      '--id <id>',
      'its name in the file and in the audit log; default: a random one',
      parseId,
    )
    .option('-f, --file <file>', 'the file of keys; made if it is not there', (file) =>
      resolve(file),
    )
    .addHelpText('after', LIFE)
    .action(async (options: Options) => {
      const { id = newKeyId(), file } = options
      const key = newApiKey(id)
      const entry = entryOf(key, options)
      // First the entry: a key that nobody knows is worth nothing.
      if (file === undefined) console.error(withEntry('', 'keys', id, entry).trimEnd())
      else await append(file, id, entry)
      console.log(key)
    })

const entryOf = (key: string, { user, uid, groups, expires }: Options): Entry => ({
  hash: hashOf(key),
  user,
  ...(uid === undefined ? {} : { uid }),
  ...(groups.length === 0 ? {} : { groups }),
  ...(expires === undefined ? {} : { expires }),
})

const append = async (name: string, id: string, entry: Entry): Promise<void> => {
  if (await create(name, id, entry)) return
  const file = await realpath(name)
  const text = await readFile(file, 'utf8')
  if (KeysFile.parse(file, text).has(id)) {
    throw new CountersignError('usage', `${file} has a key of the id "${id}" already`)
  }
  const next = withEntry(text, 'keys', id, entry)
  KeysFile.parse(file, next)
  await replaceFile(file, next)
  console.error(`${file}: added "${id}"`)
}

/** Makes the file with its first entry; says whether it was not there yet. */
const create = async (file: string, id: string, entry: Entry): Promise<boolean> => {
  try {
    const text = HEADER + withEntry('', 'keys', id, entry)
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    const message = `${file} cannot be made: ${describeError(cause)}`
    throw new CountersignError('usage', message, { cause })
  }
  console.error(`${file}: made, with "${id}"`)
  return true
}

function parseName(text: string): string {
  if (text === '' || text.trim() !== text || hasControlCharacter(text)) {
    throw new InvalidArgumentError('must be a name, without space at its ends')
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

/** From now on, to the second, as RFC 3339 has it. */
function parseExpiry(text: string): string {
  const duration = durationSchema.safeParse(text)
  const end = new Date(Date.now() + (duration.success ? duration.data : Number.NaN))
  if (Number.isNaN(end.getTime()) || duration.data === 0) {
    throw new InvalidArgumentError('must be a duration such as 12h or 90d')
  }
  return `${end.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`
}
