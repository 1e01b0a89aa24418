// `countersign audit verify`: finds what was changed, removed, inserted or moved in an audit log.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { readPublicKey, type CheckpointKey } from '../../audit/checkpoint.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { verifyLog, type ExpectedRecord, type Verification } from '../../tools/audit-log/verify.ts'
import type { CommandContext } from '../context.ts'
import { counted, linesAsText } from '../format.ts'
import { logChunks } from '../../audit/log-chunks.ts'
import { printable, printableJson } from '../printable.ts'
import { startProgress, withProgress } from '../progress.ts'
import { reportFailure } from '../report.ts'

interface Options {
  readonly key: readonly string[]
  readonly expect: readonly ExpectedRecord[]
  readonly json?: true
}

const BROKEN = 1
const UNUSABLE = 2

const AFTERWORD = `
Each record has a sequence number and a hash over itself and the record before it. The files of one chain
may be given in any order, with those of other chains, and packed by gzip or zstd. The end of a log is
proven by a later record only: --key verifies signed checkpoints (audit.checkpoints), and --expect a record
that is known from elsewhere, such as the last hash of an earlier verification or a log line "audit checkpoint".

With --json, one object per line: {"kind":"finding", "finding", "file", "line", "chain", "sequence",
"text"} for all that is wrong, {"kind":"note", …}, {"kind":"chain", "chain", "writer", "host", "first",
"last", "from", "until", "hash", "records", "signed", "files"}, and {"kind":"summary", "intact", "findings", …} at
the end.`

/** The command. */
export const verifyCommand = (context: CommandContext): Command =>
  new Command('verify')
    .description(
      'verify audit logs: print each record that was changed, removed, inserted, moved or cut off, with its file and line',
    )
    .argument('<files...>', 'audit logs of authz or of signers; "-" for standard input')
    .option(
      '--key <file>',
      'a public key of signed checkpoints, in PEM; each chain must have a signature by one of them; once for each',
      appended,
      [],
    )
    .option(
      '--expect <record>',
      'a record that must be there: CHAIN:SEQUENCE:HASH; once for each',
      (text: string, before: readonly ExpectedRecord[]) => [...before, expectedRecord(text)],
      [],
    )
    .option('--json', 'print JSON lines')
    .addHelpText('after', AFTERWORD)
    .action(async (files: readonly string[], options: Options) => {
      try {
        context.process.exitCode = await run(context, files, options)
      } catch (cause) {
        reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

const appended = (text: string, before: readonly string[]): readonly string[] => [...before, text]

const expectedRecord = (text: string): ExpectedRecord => {
  const [, chain, sequence, hash] = /^([\w-]{12}):(\d{1,16}):([\w-]{43})$/.exec(text) ?? []
  if (chain === undefined || hash === undefined) {
    throw new InvalidArgumentError('It must be CHAIN:SEQUENCE:HASH.')
  }
  return { chain, sequence: Number(sequence), hash }
}

const readKey = async (file: string): Promise<CheckpointKey> => {
  try {
    return readPublicKey(await readFile(file), file)
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const message = `${file} cannot be read: ${describeError(cause)}`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}

const run = async (
  context: CommandContext,
  given: readonly string[],
  { json, key, expect: expected }: Options,
): Promise<number> => {
  const files = [...new Set(given)]
  using progress = startProgress(context, 'verifying')
  const keys = await Promise.all(key.map(readKey))
  const open = (file: string) => withProgress(logChunks(file, context.process.stdin), progress)
  const result = await verifyLog(files, open, { keys, expected })
  progress.end()
  const isIntact = result.findings.length === 0 && result.chains.length > 0
  if (json === true) printJson(context, files, result, isIntact)
  else printText(context, files, result, isIntact)
  return isIntact ? 0 : BROKEN
}

// The rest is counted.
const MAX_SHOWN = 100

const printText = (
  { process, console }: CommandContext,
  files: readonly string[],
  { chains, findings, notes, others }: Verification,
  isIntact: boolean,
): void => {
  for (const { file, line, kind, text } of findings.slice(0, MAX_SHOWN)) {
    console.error(printable(`${file}:${line}: ${kind}: ${text}`))
  }
  const more = findings.length - MAX_SHOWN
  if (more > 0) console.error(`and ${more} more`)
  const records = chains.reduce((sum, chain) => sum + chain.records, 0)
  const verdict = isIntact
    ? 'intact'
    : findings.length > 0
      ? `NOT intact, ${counted(findings.length, 'finding')}`
      : 'no record of a chain'
  process.stdout.write(
    linesAsText([
      ...notes.slice(0, MAX_SHOWN).map(({ file, line, text }) => `${file}:${line}: note: ${text}`),
      ...(others > 0 ? [`note: ${counted(others, 'line')} of other programs, not verified`] : []),
      ...chains.flatMap((chain) => [
        `chain ${chain.chain} of ${chain.writer ?? 'an unknown writer'} on ${chain.host ?? 'an unknown host'}: records ${chain.first} to ${chain.last}, ${chain.from} to ${chain.until}, in ${counted(chain.files.length, 'file')}`,
        `  last hash ${chain.hash}`,
        ...(chain.signed === undefined ? [] : [`  signed up to record ${chain.signed}`]),
      ]),
      `${verdict}: ${counted(records, 'record')}, ${counted(chains.length, 'chain')}, ${counted(files.length, 'file')}`,
    ]),
  )
}

const printJson = (
  { process }: CommandContext,
  files: readonly string[],
  { chains, findings, notes, others }: Verification,
  intact: boolean,
): void => {
  const lines: readonly object[] = [
    ...findings.map(({ kind: finding, ...rest }) => ({ kind: 'finding', finding, ...rest })),
    ...notes.map((note) => ({ kind: 'note', ...note })),
    ...chains.map((chain) => ({ kind: 'chain', ...chain })),
    { kind: 'summary', intact, findings: findings.length, others, files },
  ]
  process.stdout.write(lines.map((line) => `${printableJson(line)}\n`).join(''))
}
