// `countersign audit list`: the events of audit logs that are wanted, as a table or as they are.

import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { readAudit } from '../../audit/reader.ts'
import { hasCode } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import { eventMatcher, isSource, type EventFilter } from '../../tools/audit-log/filter.ts'
import type { CommandContext } from '../context.ts'
import { instantOrAgo } from '../instant.ts'
import { logChunks } from '../../audit/log-chunks.ts'
import { printable, printableJson } from '../printable.ts'
import { reportFailure } from '../report.ts'
import { followChunks } from './follow.ts'
import { eventAsLine, LIST_TITLES } from './list-text.ts'

interface Options extends EventFilter {
  readonly follow?: true
  readonly json?: true
}

const NOTHING_FOUND = 1
const UNUSABLE = 2

const AFTERWORD = `
All options that are given have to match. Lines that are not JSON are reported on standard error, lines
of other programs are left out.`

/** The command. */
export const listCommand = (context: CommandContext): Command =>
  new Command('list')
    .description('list events of audit logs, in the order of the files')
    .argument('<files...>', 'audit logs, in order, packed ones too; "-" for standard input')
    .option('-u, --user <name>', 'only events of this user')
    .option('--route <name>', 'only decisions of this route')
    .addOption(
      new Option('--decision <decision>', 'only decisions of this kind').choices(['allow', 'deny']),
    )
    .option('--reason <code>', 'only events with this reason code')
    .option('--source <address>', 'only events from this address or network', source)
    .option(
      '--resource <name>',
      'only requests for this Kubernetes resource: pods, pods/exec, deployments.apps',
    )
    .option('--event <name>', 'only this event, such as login')
    .option(
      '--since <time>',
      'only from this time on: RFC 3339, or 15m for 15 minutes ago',
      instantOrAgo,
    )
    .option('--until <time>', 'only before this time', instantOrAgo)
    .option('-f, --follow', 'continue with what is appended to the last file, over its rotation')
    .option('--json', 'print the events as JSON lines')
    .addHelpText('after', AFTERWORD)
    .action(async (files: readonly string[], options: Options) => {
      try {
        context.process.exitCode = await run(context, files, options)
      } catch (cause) {
        if (!hasCode(cause, 'EPIPE')) reportFailure(context, cause) // as `head` does when it has enough
        context.process.exitCode = UNUSABLE
      }
    })

const source = (text: string): string => {
  if (isSource(text)) return text
  throw new InvalidArgumentError('It must be an IP address or a network such as 10.0.0.0/8.')
}

// Written at once, where there is more to read.
const OUTPUT_BYTES = 65_536

const run = async (
  { process, console }: CommandContext,
  files: readonly string[],
  { json, follow, ...filter }: Options,
): Promise<number> => {
  process.stdout.on('error', () => {}) // each write reports to its caller
  const isWanted = eventMatcher(filter)
  const print = (event: JsonObject): string =>
    `${json === true ? printableJson(event) : eventAsLine(event)}\n`
  let found = 0
  let output = json === true ? '' : `${LIST_TITLES}\n`
  const flush = async (): Promise<void> => {
    const text = output
    output = ''
    if (text !== '') await written(process.stdout, text)
  }
  for (const [index, file] of files.entries()) {
    const isFollowed = follow === true && index === files.length - 1 && file !== '-'
    const chunks = isFollowed ? followChunks(resolve(file)) : logChunks(file, process.stdin)
    const flushed = isFollowed ? flushedBefore(chunks, flush) : chunks
    for await (const read of readAudit(flushed)) {
      if (read.outcome === 'unreadable') {
        console.error(printable(`${file}:${read.line}: ${read.why}`))
      } else if (isAuditEvent(read.event) && isWanted(read.event)) {
        found += 1
        output += print(read.event)
        if (output.length > OUTPUT_BYTES) await flush()
      }
    }
  }
  await flush()
  return found > 0 ? 0 : NOTHING_FOUND
}

/** Lines of Countersign, of this release or another. */
const isAuditEvent = ({ log, event }: JsonObject): boolean =>
  log === 'audit' && typeof event === 'string'

/** The chunks; before each is waited for, what was found is written. */
async function* flushedBefore(
  chunks: AsyncIterable<Uint8Array>,
  flush: () => Promise<void>,
): AsyncGenerator<Uint8Array, void> {
  await flush()
  for await (const chunk of chunks) {
    yield chunk
    await flush()
  }
}

const written = async (stream: NodeJS.WritableStream, text: string): Promise<void> => {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>()
  stream.write(text, (cause) => {
    if (cause) reject(cause)
    else done()
  })
  await promise
}
