// Verifies an audit log: each file by itself, then that the files of each chain follow each other. Memory does not depend on the
// size of the files.

import type { CutLine } from '../../audit/events/log-schema.ts'
import type { ChainHead } from '../../audit/chain.ts'
import type { CheckpointKey } from '../../audit/checkpoint.ts'
import type { Finding, VerifyNote } from './finding.ts'
import type { Run } from './run.ts'
import { isSame, recordName, scanFile, type LooseLine, type Scan } from './scan.ts'
import { judgeSignatures } from './signatures.ts'

/** A chain, as far as it is in the files. */
interface VerifiedChain {
  readonly chain: string
  /** Of the last `log-opened` that is there. */
  readonly writer?: string | undefined
  readonly host?: string | undefined
  /** Sequence numbers. */
  readonly first: number
  readonly last: number
  /** The times of these records, RFC 3339. */
  readonly from: string
  readonly until: string
  /** The hash of the last record. */
  readonly hash: string
  readonly records: number
  /** The last record that a signature by a given key proves. */
  readonly signed?: number | undefined
  readonly files: readonly string[]
}

/** The result. */
export interface Verification {
  readonly chains: readonly VerifiedChain[]
  readonly findings: readonly Finding[]
  readonly notes: readonly VerifyNote[]
  /** Lines of other programs. */
  readonly others: number
}

/** A record that must be there. */
export interface ExpectedRecord extends ChainHead {
  readonly chain: string
}

/** What is known besides the log. */
export interface VerifyOptions {
  /** Which keys may have signed checkpoints. Default: signatures are not verified. */
  readonly keys?: readonly CheckpointKey[]
  readonly expected?: readonly ExpectedRecord[]
}

/**
 * Verifies files, in any order.
 *
 * @throws what `open` throws
 */
export const verifyLog = async (
  files: readonly string[],
  open: (file: string) => AsyncIterable<Uint8Array>,
  { keys = [], expected = [] }: VerifyOptions = {},
): Promise<Verification> => {
  const wanted = new Set(expected.map(({ chain, sequence }) => recordName(chain, sequence)))
  const scans: Scan[] = []
  for (const file of files) scans.push(await scanFile(file, open(file), wanted))
  const result = {
    findings: scans.flatMap(({ findings }) => findings),
    notes: scans.flatMap(({ notes }) => notes),
  }
  judgeLoose(
    scans.flatMap(({ loose }) => loose),
    scans.flatMap(({ cuts }) => cuts),
    result,
  )
  const byChain = Map.groupBy(
    scans.flatMap(({ runs }) => runs),
    ({ chain }) => chain,
  )
  const checkpoints = scans.flatMap((scan) => scan.checkpoints)
  const chains = [...byChain.values()].map((runs) => {
    const { last, ...linked } = linkChain(runs, result)
    const own = checkpoints.filter(({ chain }) => chain === linked.chain)
    const signed = judgeSignatures(own, keys, { ...last.last, chain: linked.chain }, result)
    return { ...linked, last: last.last.sequence, signed }
  })
  judgeExpected(expected, scans, files[0] ?? '', result)
  const order = new Map(files.map((file, index) => [file, index]))
  const inOrder = (one: VerifyNote, other: VerifyNote): number =>
    (order.get(one.file) ?? 0) - (order.get(other.file) ?? 0) || one.line - other.line
  return {
    chains,
    findings: result.findings.toSorted(inOrder),
    notes: result.notes.toSorted(inOrder),
    others: scans.reduce((sum, { others }) => sum + others, 0),
  }
}

interface Result {
  readonly findings: Finding[]
  readonly notes: VerifyNote[]
}

const judgeLoose = (
  loose: readonly LooseLine[],
  cuts: readonly CutLine[],
  { findings, notes }: Result,
): void => {
  for (const line of loose) {
    const place = { file: line.file, line: line.line }
    if (cuts.some((cut) => isSame(cut, line))) {
      notes.push({
        ...place,
        text: `an incomplete line of ${line.bytes} bytes, which a later record explains`,
      })
    } else if (line.isWhole) {
      const text = 'the line is not a record, and no record explains it'
      findings.push({ ...place, kind: 'unreadable', text })
    } else {
      const text = 'the last line is incomplete, and no later record explains it'
      findings.push({ ...place, kind: 'incomplete', text })
    }
  }
}

/** Links the runs of one chain. */
const linkChain = (
  runs: readonly Run[],
  result: Result,
): Omit<VerifiedChain, 'last' | 'signed'> & { readonly last: Run } => {
  const sorted = runs.toSorted(
    (one, other) => one.first.sequence - other.first.sequence || other.length - one.length,
  )
  const [first, ...rest] = sorted
  if (first === undefined) throw new Error('a chain without records')
  const linked: Run[] = [first]
  judgeBeginning(first, result)
  let last = first
  for (const run of rest) {
    if (run.first.sequence <= last.last.sequence) {
      judgeRepeated(run, linked, result)
      if (run.last.sequence <= last.last.sequence) continue
    } else judgeLink(last, run, result)
    linked.push(run)
    last = run
  }
  const opening = linked.findLast(({ opening: one }) => one !== undefined)?.opening
  return {
    chain: first.chain,
    writer: opening?.writer,
    host: opening?.host,
    first: first.first.sequence,
    last,
    from: first.first.time,
    until: last.last.time,
    hash: last.last.claimed,
    records: linked.reduce((sum, { length }) => sum + length, 0),
    files: [...new Set(linked.map(({ first: { file } }) => file))],
  }
}

const judgeExpected = (
  expected: readonly ExpectedRecord[],
  scans: readonly Scan[],
  file: string,
  { findings }: Result,
): void => {
  for (const { chain, sequence, hash } of expected) {
    const name = recordName(chain, sequence)
    const hashes = scans.flatMap(({ seen }) => seen.get(name) ?? [])
    if (hashes.length > 0 && hashes.every((one) => one === hash)) continue
    const text =
      hashes.length === 0
        ? `record ${sequence} of chain ${chain}, which was expected, is not there: the end of the log was removed, or a file is not given`
        : `record ${sequence} of chain ${chain} has another hash than expected: the log was made anew`
    findings.push({ kind: 'unexpected', file, line: 1, chain, sequence, text })
  }
}

const judgeBeginning = ({ first, chain, opening }: Run, { findings, notes }: Result): void => {
  const { sequence, file, line } = first
  if (sequence === 1) return
  if (opening === undefined) {
    const text = `the chain begins with record ${sequence}, which is not the beginning of a file: records before it are missing`
    findings.push({ kind: 'no-beginning', file, line, chain, sequence, text })
  } else {
    const text = `the chain begins with record ${sequence}: the records before it are in files that are not given`
    notes.push({ file, line, text })
  }
}

const judgeRepeated = (run: Run, linked: readonly Run[], { findings, notes }: Result): void => {
  const { file, line, sequence } = run.first
  const same = linked.find((other) => other.equals(run))
  if (same !== undefined && same.first.file !== file) {
    notes.push({ file, line, text: `the records are those of ${same.first.file}, too` })
    return
  }
  const other = linked.findLast(({ first }) => first.sequence <= sequence)?.first
  const text = `record ${sequence} is there already, in or below ${other?.file}:${other?.line}: a copy, or two processes continued one chain`
  findings.push({ kind: 'repeated', file, line, chain: run.chain, sequence, text })
}

const judgeLink = (before: Run, run: Run, { findings }: Result): void => {
  const { file, line, sequence } = run.first
  const { last } = before
  const place = { file, line, chain: run.chain, sequence }
  if (sequence > last.sequence + 1) {
    const [from, to] = [last.sequence + 1, sequence - 1]
    const missing = from === to ? `record ${from} is` : `records ${from} to ${to} are`
    const text = `${missing} missing, after ${last.file}:${last.line}`
    findings.push({ kind: 'missing', ...place, text })
  } else if (!run.follows(before)) {
    const text = `record ${sequence} does not continue record ${last.sequence}, ${last.file}:${last.line}: one of them was changed`
    findings.push({ kind: 'changed', ...place, text })
  }
}
