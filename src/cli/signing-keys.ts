// `countersign keys signing`: makes, lists, rotates and revokes the keys that sign tokens of the issuer. It
// changes a folder and uses no network.

import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../keys/mint-schema.ts'
import { durationSchema } from '../config/values.ts'
import {
  creation,
  findKey,
  livingAlgorithms,
  publishedKeys,
  revocation,
  rotation,
  SHORTEST_PREFIX,
  withoutDead,
  type SigningKeyChange,
} from '../keys/signing-key-changes.ts'
import { inspectSigningKeys } from '../keys/signing-key-folder.ts'
import type { SigningKeyList } from '../keys/signing-keys.ts'
import type { CommandContext } from './context.ts'
import { changeSigningKeys, type FolderChange } from './signing-key-writer.ts'
import { ROTATION, THEFT } from './signing-keys-help.ts'
import { changesAsText, keysAsJson, keysAsText, shownKeys } from './signing-keys-text.ts'
import { usageError } from './usage-error.ts'

/** The command, with its parts. */
export const signingKeysCommand = (context: CommandContext): Command =>
  new Command('signing')
    .description('make, list, rotate and revoke the keys that sign tokens of the issuer')
    .addCommand(createCommand(context))
    .addCommand(showCommand(context))
    .addCommand(rotateCommand(context))
    .addCommand(revokeCommand(context))
    .addCommand(pruneCommand(context))
    .addHelpText('after', `${ROTATION}\n${THEFT}`)

const absolute = (folder: string): string => resolve(folder)

const algorithmOption = (description: string): Option =>
  new Option(
    '-a, --algorithm <names>',
    `${description}; repeat it, or separate them by commas`,
  ).argParser(parseAlgorithms)

const createCommand = (context: CommandContext): Command =>
  new Command('create')
    .description(
      'make the folder, and a key that signs at once for each algorithm that has none; what is there already stays as it is',
    )
    .argument('<dir>', 'the folder of the keys: `issuer.keys`', absolute)
    .addOption(
      algorithmOption('ES256 (the default), RS256 for kube-apiserver with its defaults, or EdDSA'),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'file mode of the private keys: 0600, or 0640 for a group; default: as those that are there, else 0600',
      ).argParser(parseMode),
    )
    .action(async (folder: string, options: CreateOptions) => {
      const { algorithm = ['ES256'], mode } = options
      await change(context, {
        folder,
        make: { mode },
        plan: (list, now) => creation(list, algorithm, now),
      })
    })

interface CreateOptions {
  readonly algorithm?: readonly SigningAlgorithm[]
  readonly mode?: number
}

const showCommand = (context: CommandContext): Command =>
  new Command('show')
    .description(
      'print the keys: the state of each, from when on it signs, until when it is published, and why authz would refuse the folder',
    )
    .argument('<dir>', 'the folder of the keys', absolute)
    .option('--json', 'print JSON')
    .action(async (folder: string, { json }: { readonly json?: true }) => {
      const now = Date.now()
      const { list, problems } = await inspectSigningKeys(folder, new ConfigurationFiles(), now)
      const keys = shownKeys(list, now)
      const messages = problems.map(({ message }) => message)
      context.process.stdout.write(json === true ? keysAsJson(keys, messages) : keysAsText(keys))
      complain(context, messages)
    })

const rotateCommand = (context: CommandContext): Command =>
  new Command('rotate')
    .description(
      'make the next key, which is published at once and signs after the overlap, unless there is one already. Removes keys that are no longer needed, as `prune` does',
    )
    .argument('<dir>', 'the folder of the keys', absolute)
    .addOption(algorithmOption('of which algorithms; default: all that sign'))
    .addOption(
      new Option(
        '--overlap <duration>',
        'for how long the next key is published before it signs: 10m to 30d, and longer than `issuer.maxAge`',
      )
        .argParser(parseOverlap)
        .default(DEFAULT_OVERLAP_MS, '1h'),
    )
    .addOption(
      new Option(
        '--now',
        'the next key signs at once: upstreams refuse its tokens until they read the key set again',
      ).conflicts('overlap'),
    )
    .addHelpText('after', ROTATION)
    .action(async (folder: string, options: RotateOptions) => {
      const { algorithm, overlap, now: atOnce } = options
      await change(context, {
        folder,
        plan: (list, now) =>
          planRotation(list, algorithm, atOnce === true ? 0 : overlap, now, folder),
      })
    })

interface RotateOptions {
  readonly algorithm?: readonly SigningAlgorithm[]
  readonly overlap: number
  readonly now?: true
}

// Some readers, Countersign included, refuse a larger key set.
const MOST_PUBLISHED = 100

const planRotation = (
  list: SigningKeyList,
  asked: readonly SigningAlgorithm[] | undefined,
  overlap: number,
  now: number,
  folder: string,
): SigningKeyChange => {
  const living = livingAlgorithms(list, now)
  const algorithms = asked ?? [...living]
  const absent = algorithms.filter((algorithm) => !living.has(algorithm))
  if (algorithms.length === 0 || absent.length > 0) {
    const names = absent.length === 0 ? '' : `${absent.join(', ')} `
    throw usageError(
      `${folder} has no ${names}key to rotate; \`countersign keys signing create ${folder}\` makes one`,
    )
  }
  const plan = rotation(list, { algorithms, overlap }, now)
  if (publishedKeys(list, now).length + plan.needs.length > MOST_PUBLISHED) {
    throw usageError(
      `${folder} publishes ${MOST_PUBLISHED} keys: rotate less often, or wait until the oldest have expired`,
    )
  }
  return plan
}

const revokeCommand = (context: CommandContext): Command =>
  new Command('revoke')
    .description(
      'from now on a key neither signs nor is published, and its private half is removed. If it was the one that signs, the next one does at once, or a new one',
    )
    .argument('<dir>', 'the folder of the keys', absolute)
    .argument('<kid>', `the key, or the first ${SHORTEST_PREFIX} characters of its name at least`)
    .addHelpText('after', THEFT)
    .action(async (folder: string, kid: string) => {
      await change(context, { folder, plan: (list, now) => planRevocation(list, kid, now, folder) })
    })

const planRevocation = (
  list: SigningKeyList,
  kid: string,
  now: number,
  folder: string,
): SigningKeyChange => {
  const search = findKey(list, kid)
  const shown = JSON.stringify(kid)
  switch (search.outcome) {
    case 'found':
      return revocation(list, search.key.kid, now)
    case 'short':
      throw usageError(
        `${shown} is too short: name the key by ${SHORTEST_PREFIX} characters at least`,
      )
    case 'unknown':
      throw usageError(
        `${folder} has no key ${shown}; \`countersign keys signing show\` lists them`,
      )
    case 'ambiguous':
      throw usageError(`${folder} has several keys that begin with ${shown}`)
  }
}

const pruneCommand = (context: CommandContext): Command =>
  new Command('prune')
    .description(
      'remove private keys that no longer sign, and keys without valid tokens. `rotate` does that too',
    )
    .argument('<dir>', 'the folder of the keys', absolute)
    .action(async (folder: string) => {
      await change(context, {
        folder,
        plan: (list, now) => ({ needs: [], apply: () => withoutDead(list, now) }),
      })
    })

/** Changes a folder, prints the changes, and whether authz accepts it. */
const change = async (context: CommandContext, wanted: FolderChange): Promise<void> => {
  const changed = await changeSigningKeys(wanted)
  context.process.stderr.write(changesAsText(changed))
  const files = new ConfigurationFiles()
  const { problems } = await inspectSigningKeys(changed.folder, files, changed.now)
  complain(
    context,
    problems.map(({ message }) => message),
  )
}

/** Says what is wrong with the folder; that is a failure of the command, whatever it did. */
const complain = ({ process, console }: CommandContext, problems: readonly string[]): void => {
  if (problems.length === 0) return
  process.exitCode = 1
  for (const problem of problems) console.error(`countersign: ${problem}`)
}

const isAlgorithm = (name: string): name is SigningAlgorithm =>
  SIGNING_ALGORITHMS.some((algorithm) => algorithm === name)

function parseAlgorithms(
  text: string,
  before: readonly SigningAlgorithm[] = [],
): readonly SigningAlgorithm[] {
  const algorithms = text.split(',').map((name) => {
    if (isAlgorithm(name)) return name
    throw new InvalidArgumentError(`must be of ${SIGNING_ALGORITHMS.join(', ')}`)
  })
  return [...before, ...algorithms]
}

/** As authz requires: no access for other users, and at most read access for the group. */
function parseMode(text: string): number {
  if (!/^0?[46][04]0$/.test(text)) {
    throw new InvalidArgumentError('must be 0600, 0640, 0400 or 0440')
  }
  return Number.parseInt(text, 8)
}

const DEFAULT_OVERLAP_MS = 3_600_000
const SHORTEST_OVERLAP_MS = 600_000
const LONGEST_OVERLAP_MS = 2_592_000_000

function parseOverlap(text: string): number {
  const duration = durationSchema.safeParse(text)
  const overlap = duration.success ? duration.data : Number.NaN
  if (!(overlap >= SHORTEST_OVERLAP_MS && overlap <= LONGEST_OVERLAP_MS)) {
    throw new InvalidArgumentError('must be a duration of 10m to 30d; --now needs none')
  }
  return overlap
}
