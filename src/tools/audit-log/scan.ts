// Reads one file of an audit log for its verification: the runs of records in it, and what else is in it.

import { hash } from 'node:crypto'
import { readChainFields, type ChainFields } from '../../audit/chain.ts'
import type { CutLine } from '../../audit/events/log-schema.ts'
import { auditLineSchema } from '../../audit/events/events-schema.ts'
import { rawLines, type RawLine } from '../../audit/raw-lines.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { Finding, LogPlace, VerifyNote } from './finding.ts'
import { parseLine, readOpening, type Opening } from './opening.ts'
import { Run, type ChainedRecord } from './run.ts'
import { readCheckpoint, type ReadCheckpoint } from './signatures.ts'

/** A line that is not a record. */
export interface LooseLine extends LogPlace, CutLine {
  readonly isWhole: boolean
}

/** What is in a file. */
export interface Scan {
  readonly file: string
  readonly runs: readonly Run[]
  /** Incomplete lines that records explain. */
  readonly cuts: readonly CutLine[]
  readonly checkpoints: readonly ReadCheckpoint[]
  /** The hashes of the requested records, by chain and sequence number. */
  readonly seen: ReadonlyMap<string, string>
  readonly loose: readonly LooseLine[]
  /** Lines of other programs. */
  readonly others: number
  readonly findings: readonly Finding[]
  readonly notes: readonly VerifyNote[]
}

/** A log that is so broken that the rest of it says nothing more. */
const MOST_BREAKS = 100_000

/** The name of a record in {@link Scan.seen}. */
export const recordName = (chain: string, sequence: number): string => `${chain}:${sequence}`

/**
 * Reads a file.
 *
 * @param wanted names of records whose hashes are requested
 */
export const scanFile = async (
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  wanted: ReadonlySet<string>,
): Promise<Scan> => {
  const scanner = new Scanner(file, wanted)
  for await (const lines of rawLines(chunks)) {
    for (const line of lines) scanner.add(line)
  }
  return scanner.end()
}

class Scanner {
  readonly #file: string
  /** By chain: the run that the next record may continue. */
  readonly #current = new Map<string, Run>()
  readonly #runs: Run[] = []
  readonly #cuts: CutLine[] = []
  readonly #checkpoints: ReadCheckpoint[] = []
  readonly #wanted: ReadonlySet<string>
  readonly #seen = new Map<string, string>()
  readonly #loose: LooseLine[] = []
  readonly #findings: Finding[] = []
  readonly #notes: VerifyNote[] = []
  /** The line before, and its run where it is a record. */
  #before: { readonly line: RawLine; readonly run: Run | undefined } | undefined
  /** Events before the first record of a chain, as older releases wrote them. */
  #unchained = { count: 0, line: 0 }
  #others = 0
  #breaks = 0

  constructor(file: string, wanted: ReadonlySet<string>) {
    this.#file = file
    this.#wanted = wanted
  }

  add(line: RawLine): void {
    if (line.bytes.length === 0 && !line.isTooLong) return
    if (this.#breaks > MOST_BREAKS) return
    // A record always has its line feed, so without it is none.
    const chained = line.isWhole ? readChainFields(line.bytes) : undefined
    const run = chained && this.#addRecord(line, chained)
    if (run === undefined) this.#addOther(line)
    this.#before = { line, run }
  }

  end(): Scan {
    const [first] = this.#runs
    if (first === undefined && this.#unchained.count > 0) this.#reportUnchained()
    if (this.#breaks > MOST_BREAKS) {
      this.#find('unreadable', this.#before?.line.line ?? 1, {
        text: 'there are too many breaks: the lines below were not read',
      })
    }
    return {
      file: this.#file,
      runs: this.#runs,
      cuts: this.#cuts,
      checkpoints: this.#checkpoints,
      seen: this.#seen,
      loose: this.#loose,
      others: this.#others,
      findings: this.#findings,
      notes: this.#notes,
    }
  }

  #addRecord(
    { line, bytes, offset }: RawLine,
    { fields, hashed }: { readonly fields: ChainFields; readonly hashed: number },
  ): Run {
    const body = bytes.subarray(0, hashed)
    const opening = readOpening(bytes)
    if (opening !== undefined) this.#open(opening, line)
    if (this.#runs.length === 0 && this.#unchained.count > 0) this.#judgeUnchained(opening, offset)
    const record: ChainedRecord = { file: this.#file, line, fields, body, opening }
    const run = this.#current.get(fields.chain)
    this.#look(record, bytes, run)
    if (run !== undefined && fields.sequence === run.last.sequence + 1) {
      if (!run.add(record)) this.#changed(record)
      return run
    }
    return this.#begin(record, run)
  }

  #look({ fields, line }: ChainedRecord, bytes: Buffer, run: Run | undefined): void {
    const { chain, sequence } = fields
    if (this.#wanted.size > 0) {
      const name = recordName(chain, sequence)
      if (this.#wanted.has(name)) this.#seen.set(name, fields.hash)
    }
    const event = readCheckpoint(bytes)
    if (event === undefined) return
    const before = run?.last.sequence === sequence - 1 ? run.last.claimed : undefined
    this.#checkpoints.push({ file: this.#file, line, chain, sequence, event, before })
  }

  #begin(record: ChainedRecord, before: Run | undefined): Run {
    const { fields, line } = record
    const run = new Run(record)
    this.#runs.push(run)
    this.#current.set(fields.chain, run)
    if (!run.isFirstRight) this.#changed(record)
    if (before === undefined) return run
    this.#breaks += 1
    if (fields.sequence <= before.last.sequence) {
      this.#find('moved', line, {
        ...fields,
        text: `record ${fields.sequence} comes after record ${before.last.sequence}, in line ${before.last.line}`,
      })
    }
    return run
  }

  #changed({ line, fields }: ChainedRecord): void {
    this.#breaks += 1
    this.#find('changed', line, {
      ...fields,
      text: `record ${fields.sequence} does not have its hash: it was changed, or the record before it was`,
    })
  }

  #open({ cut = [], lost }: Opening, line: number): void {
    this.#cuts.push(...cut)
    if (lost !== undefined) {
      this.#note(line, `${lost} events could not be written before this record`)
    }
    // A crash can leave a record that lacks only its line feed: nothing was acknowledged, and the chain continues before it.
    const { line: raw, run } = this.#before ?? {}
    if (raw === undefined || run === undefined || cut.length === 0) return
    if (!cut.some((one) => isSame(one, looseOf(this.#file, raw)))) return
    this.#note(raw.line, 'the record is complete, but its write was not acknowledged')
    if (run.removeLast()) return
    this.#current.delete(run.chain)
    this.#runs.splice(this.#runs.indexOf(run), 1)
  }

  #judgeUnchained(opening: Opening | undefined, offset: number): void {
    const { count, line } = this.#unchained
    if (opening?.previous === undefined && opening?.offset === offset) {
      this.#note(line, `${count} events before the beginning of the chain, which nothing proves`)
    } else this.#reportUnchained()
  }

  #reportUnchained(): void {
    const { count, line } = this.#unchained
    const text = `${count} events have no place in a chain: an older release wrote them, or they were inserted`
    this.#find('unchained', line, { text })
  }

  #addOther(raw: RawLine): void {
    const { line, bytes } = raw
    const value = raw.isWhole ? parseLine(bytes) : undefined
    if (value === undefined) {
      this.#breaks += 1
      this.#loose.push(looseOf(this.#file, raw))
    } else if (!isAuditEvent(value)) this.#others += 1
    else if (this.#runs.length === 0) {
      this.#unchained = { count: this.#unchained.count + 1, line: this.#unchained.line || line }
    } else {
      this.#breaks += 1
      const text = 'the event has no place in a chain: it was inserted, or its end was removed'
      this.#find('unchained', line, { text })
    }
  }

  #find(kind: Finding['kind'], line: number, what: Partial<ChainFields> & { text: string }): void {
    const { chain, sequence, text } = what
    this.#findings.push({ kind, file: this.#file, line, chain, sequence, text })
  }

  #note(line: number, text: string): void {
    this.#notes.push({ file: this.#file, line, text })
  }
}

const looseOf = (file: string, { line, bytes, isWhole }: RawLine): LooseLine => ({
  file,
  line,
  isWhole,
  bytes: bytes.length,
  hash: hash('sha256', bytes, 'base64url'),
})

/** Whether a record explains a line. */
export const isSame = (cut: CutLine, line: CutLine): boolean =>
  cut.bytes === line.bytes && cut.hash === line.hash

const EVENTS: ReadonlySet<unknown> = new Set(
  auditLineSchema.options.map(({ shape }) => shape.event.value),
)

/** Whether another command would take the line for an event of the log. */
const isAuditEvent = ({ log, event }: JsonObject): boolean => log === 'audit' || EVENTS.has(event)
