// `countersign replay`: which decisions of an audit log another configuration would make otherwise.

import { Command, InvalidArgumentError } from 'commander'
import { readAudit } from '../../audit/reader.ts'
import { buildOffline } from '../../tools/offline.ts'
import {
  readDecision,
  type RecordedCheck,
  type RecordedDecision,
} from '../../tools/replay/recorded-event.ts'
import { Replay, type Replayed } from '../../tools/replay/replay.ts'
import { exampleOf, ReplaySummary, type ReplayExample } from '../../tools/replay/summary.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { CountersignError, hasCode } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { CommandContext } from '../context.ts'
import { instant } from '../instant.ts'
import { logChunks } from '../../audit/log-chunks.ts'
import { configOption } from '../options.ts'
import { printable, printableJson } from '../printable.ts'
import { startProgress, withProgress } from '../progress.ts'
import { reportFailure } from '../report.ts'
import { replayText, type ReplayTotals } from './text.ts'

interface Options {
  readonly config: string
  readonly examples: number
  readonly json?: boolean
  readonly strict?: boolean
  readonly rematch?: boolean
  readonly since?: number
  readonly until?: number
  readonly route?: string
  readonly user?: string
}

const CHANGED = 1
const UNUSABLE = 2

const AFTERWORD = `
The rules are evaluated again with the identity and the request of the log. A decision is undetermined
when a rule depends on data that the log lacks, such as headers or claims, or on an API server, which is
not called. The route is the one that the log names or, when the configuration has none of that name,
the one for host and path.

With --json, one object per line: {"kind":"change", "before", "after", …} and {"kind":"undetermined",
"what", …} for each such decision, {"kind":"unreadable", "file", "line", "why"} for each line that
cannot be read, and {"kind":"summary", "totals", "changes", "undetermined", "shadows", "moved"} at the
end.`

/** The command. */
export const replayCommand = (context: CommandContext): Command =>
  new Command('replay')
    .description(
      'decide the requests of an audit log again, by another configuration, and print which decisions change, and how',
    )
    .argument('<files...>', 'audit logs, in order, gzip’s too; "-" for standard input')
    .addOption(configOption())
    .option('--examples <count>', 'how many decisions to show of each change', wholeNumber, 3)
    .option('--since <time>', 'only decisions from this time on (RFC 3339)', instant)
    .option('--until <time>', 'only decisions before this time (RFC 3339)', instant)
    .option('--route <name>', 'only decisions of this route')
    .option('--user <name>', 'only decisions about this user')
    .option('--rematch', 'find routes by host and path, not by the name in the log')
    .option('--strict', 'fail also for what is undetermined or cannot be read')
    .option('--json', 'print JSON lines')
    .addHelpText('after', AFTERWORD)
    .action(async (files: readonly string[], options: Options) => {
      try {
        context.process.exitCode = await run(context, files, options)
      } catch (cause) {
        if (!isReaderGone(cause)) reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

/** As `head` does when it has enough. */
const isReaderGone = (cause: unknown): boolean => hasCode(cause, 'EPIPE')

const wholeNumber = (text: string): number => {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

const run = async (
  context: CommandContext,
  files: readonly string[],
  options: Options,
): Promise<number> => {
  context.process.stdout.on('error', () => {}) // each write reports to its caller
  await using snapshot = await buildOffline(options.config, new ConfigurationFiles())
  const replay = new Replay(snapshot.routes, { rematch: options.rematch === true })
  const all = new ReplayRun(context, replay, options)
  for (const file of files) await all.read(file)
  return await all.finish(files)
}

// What is printed on standard error of lines that cannot be read; the rest is counted.
const MAX_COMPLAINTS = 10
const OUTPUT_BYTES = 65_536

const NOT_DECISIONS = { summarised: 0, other: 0, unreadable: 0 }

/** Goes through the files. */
class ReplayRun {
  readonly #context: CommandContext
  readonly #replay: Replay
  readonly #options: Options
  readonly #summary: ReplaySummary
  readonly #totals = { lines: 0, decisions: 0, left: 0, beforeRules: 0, ...NOT_DECISIONS }
  #output = ''

  constructor(context: CommandContext, replay: Replay, options: Options) {
    this.#context = context
    this.#replay = replay
    this.#options = options
    this.#summary = new ReplaySummary(options.examples)
  }

  /** @throws CountersignError `file-unreadable` */
  async read(file: string): Promise<void> {
    using progress = startProgress(this.#context, `reading ${printable(file)}`)
    const chunks = withProgress(logChunks(file, this.#context.process.stdin), progress)
    for await (const read of readAudit(chunks)) {
      this.#totals.lines += 1
      if (read.outcome === 'unreadable') this.#complain(file, read.line, read.why)
      else this.#add(file, read.line, read.event)
      if (this.#output.length > OUTPUT_BYTES) {
        progress.end()
        await this.#flush()
      }
    }
  }

  /** Prints the result; returns the exit status. */
  async finish(files: readonly string[]): Promise<number> {
    const { decisions, unreadable } = this.#totals
    if (decisions === 0) {
      throw new CountersignError('usage', `there is no decision in ${files.join(', ')}`)
    }
    const { same, changed, undetermined, changes, undeterminedGroups, shadows, moved } =
      this.#summary
    const totals: ReplayTotals = { ...this.#totals, same, changed, undetermined }
    const groups = { changes, undetermined: undeterminedGroups, shadows, moved }
    if (this.#options.json === true) this.#print({ kind: 'summary', totals, ...groups })
    else this.#output += replayText(this.#options.config, totals, groups)
    await this.#flush()
    const strict = this.#options.strict === true && (undetermined > 0 || unreadable > 0)
    return changed > 0 || strict ? CHANGED : 0
  }

  #add(file: string, line: number, event: JsonObject): void {
    const reading = readDecision(event)
    if (reading.outcome === 'other') {
      this.#totals.other += 1
      return
    }
    if (reading.outcome === 'summary') {
      this.#totals.summarised += reading.count
      return
    }
    if (reading.outcome === 'malformed') {
      this.#complain(file, line, `malformed: ${reading.field}`)
      return
    }
    const { decision } = reading
    const { asked } = decision
    this.#totals.decisions += 1
    if (!this.#isWanted(decision)) this.#totals.left += 1
    else if (asked === undefined) this.#totals.beforeRules += 1
    else {
      const replayed = this.#replay.decide(asked)
      const example = exampleOf(decision, asked, file, line)
      this.#summary.add(asked, replayed, example)
      if (this.#options.json === true) this.#printOne(asked, replayed, example)
    }
  }

  #isWanted({ at, route, user }: RecordedDecision): boolean {
    const {
      since = -Infinity,
      until = Infinity,
      route: wantedRoute,
      user: wantedUser,
    } = this.#options
    return (
      at >= since &&
      at < until &&
      (wantedRoute === undefined || route === wantedRoute) &&
      (wantedUser === undefined || user === wantedUser)
    )
  }

  #printOne({ outcome: before }: RecordedCheck, replayed: Replayed, example: ReplayExample): void {
    const { route } = replayed
    if (replayed.outcome === 'undetermined') {
      const { what, rule } = replayed
      this.#print({ kind: 'undetermined', ...example, route, before, what, rule })
    } else if (replayed.outcome === 'changed') {
      this.#print({ kind: 'change', ...example, route, before, after: replayed.after })
    }
  }

  #complain(file: string, line: number, why: string): void {
    this.#totals.unreadable += 1
    if (this.#options.json === true) this.#print({ kind: 'unreadable', file, line, why })
    else if (this.#totals.unreadable <= MAX_COMPLAINTS) {
      this.#context.console.error(printable(`${file}:${line}: ${why}`))
    }
  }

  #print(value: unknown): void {
    this.#output += `${printableJson(value)}\n`
  }

  /** Waits until it is written, so that what is to be printed does not pile up. */
  async #flush(): Promise<void> {
    const { promise, resolve: done, reject } = Promise.withResolvers<void>()
    this.#context.process.stdout.write(this.#output, (cause) => {
      if (cause) reject(cause)
      else done()
    })
    this.#output = ''
    await promise
  }
}
