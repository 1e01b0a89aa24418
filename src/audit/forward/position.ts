// How far a sink has the audit log: a small file next to the log for each sink, replaced as a whole. Without it, the sink gets
// all files of the log again.

import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replaceFile } from '../../runtime/atomic-file.ts'
import { hasCode } from '../../runtime/errors.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import type { ChainFields } from '../chain.ts'

/** The last record that a sink has. */
export interface Position extends ChainFields {
  /** Where the record ends in its file, in bytes of the file before it was compressed. */
  readonly offset: number
}

/** The name of the file with the position of a sink: `.audit.jsonl.SINK.position`. */
export const positionFile = (log: string, sink: string): string =>
  join(dirname(log), `.${basename(log)}.${sink}.position`)

const VERSION = 1
const FILE_MODE = 0o640

/** Reads a position; `undefined` where there is none, or what is there cannot be used. */
export const readPosition = async (file: string): Promise<Position | undefined> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
  return parsePosition(text)
}

const parsePosition = (text: string): Position | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value) || value['version'] !== VERSION) return undefined
  const { chain, seq: sequence, hash, offset } = value
  if (typeof chain !== 'string' || typeof hash !== 'string') return undefined
  if (!isCount(sequence) || !isCount(offset)) return undefined
  return { chain, sequence, hash, offset }
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

/** Writes a position. It is on the disk when this resolves. */
export const writePosition = async (
  file: string,
  { chain, sequence, hash, offset }: Position,
): Promise<void> => {
  const text = JSON.stringify({ version: VERSION, chain, seq: sequence, hash, offset })
  await replaceFile(file, `${text}\n`, { mode: FILE_MODE })
}
