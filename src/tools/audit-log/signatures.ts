// Verifies the signed checkpoints of a chain.

import * as z from 'zod'
import { isSignedBy, type CheckpointKey } from '../../audit/checkpoint.ts'
import { logCheckpointEvent } from '../../audit/events/log-schema.ts'
import type { Finding, LogPlace, VerifyNote } from './finding.ts'
import { parseLine } from './opening.ts'

// A later release may add fields.
const checkpointSchema = z.object({ ...logCheckpointEvent.shape, time: z.string() })

/** A checkpoint as it is read. */
export interface ReadCheckpoint extends LogPlace {
  readonly chain: string
  readonly sequence: number
  readonly event: z.output<typeof checkpointSchema>
  /** The hash of the record before, in the file; `undefined` where that is in another one. */
  readonly before: string | undefined
}

// As that of `log-opened`.
const BEGINNING = 96

/** Reads a line, where it is a `log-checkpoint`. */
export const readCheckpoint = (line: Buffer): ReadCheckpoint['event'] | undefined =>
  line.subarray(0, BEGINNING).includes('"event":"log-checkpoint"')
    ? checkpointSchema.safeParse(parseLine(line)).data
    : undefined

/** What a chain has besides its checkpoints. */
export interface ChainEnd extends LogPlace {
  readonly chain: string
  readonly sequence: number
  /** RFC 3339. */
  readonly time: string
}

// Of the interval: a busy machine may be late.
const OVERDUE = 3

/**
 * Judges the checkpoints of one chain.
 *
 * @param keys which may have signed them; none: signatures are not verified
 * @returns the sequence number of the last record that a signature proves
 */
export const judgeSignatures = (
  checkpoints: readonly ReadCheckpoint[],
  keys: readonly CheckpointKey[],
  end: ChainEnd,
  { findings, notes }: { readonly findings: Finding[]; readonly notes: VerifyNote[] },
): number | undefined => {
  const { file, line, chain, sequence } = end
  if (keys.length === 0) {
    if (checkpoints.length > 0) {
      const text = `${checkpoints.length} signed checkpoints are not verified: give the public key with --key`
      notes.push({ file, line, text })
    }
    return undefined
  }
  let last: ReadCheckpoint | undefined
  for (const checkpoint of checkpoints) {
    const fault = faultOf(checkpoint, keys)
    if (fault === undefined) {
      if (last === undefined || checkpoint.sequence > last.sequence) last = checkpoint
    } else findings.push({ ...placeOf(checkpoint), kind: 'forged', text: fault })
  }
  if (last === undefined) {
    const text = 'no checkpoint of the chain has a signature by a given key'
    findings.push({ file, line, chain, sequence, kind: 'unsigned', text })
    return undefined
  }
  const late = Date.parse(end.time) - Date.parse(last.event.time)
  if (late > OVERDUE * last.event.interval) {
    const text = `the records after ${last.sequence}, ${last.file}:${last.line}, have no checkpoint, where one was due every ${last.event.interval / 1_000} s: later ones were removed, or signing stopped`
    findings.push({ file, line, chain, sequence, kind: 'unsigned', text })
  } else if (sequence > last.sequence) {
    const text = `${sequence - last.sequence} records after the last checkpoint, which no signature proves yet`
    notes.push({ file, line, text })
  }
  return last.event.signed.seq
}

const placeOf = ({ file, line, chain, sequence }: ReadCheckpoint) => ({
  file,
  line,
  chain,
  sequence,
})

const faultOf = (
  { chain, sequence, event, before }: ReadCheckpoint,
  keys: readonly CheckpointKey[],
): string | undefined => {
  const { signed, key: id, interval, signature } = event
  const key = keys.find((one) => one.id === id)
  if (key === undefined) return `the key ${id} of the checkpoint is none of those given`
  const isRight = isSignedBy(
    { chain, sequence: signed.seq, hash: signed.hash, interval },
    signature,
    key,
  )
  if (!isRight) return 'the signature of the checkpoint is wrong'
  const isBefore = signed.seq === sequence - 1 && (before === undefined || before === signed.hash)
  return isBefore
    ? undefined
    : `the checkpoint signed another record ${signed.seq}: the chain was made anew`
}
