// The record with which a file of the log begins, as far as a verification reads it.

import * as z from 'zod'
import { logOpenedEvent } from '../../audit/events/log-schema.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'

// A later release may add fields.
const openingSchema = z.object(
  logOpenedEvent.pick({
    writer: true,
    host: true,
    offset: true,
    previous: true,
    cut: true,
    lost: true,
  }).shape,
)

/** A `log-opened`. */
export type Opening = z.output<typeof openingSchema>

// Log, time and event are the first fields of a line, and no text in it has an unescaped quotation mark.
const BEGINNING = 96

/** Reads a line, where it is a `log-opened`. */
export const readOpening = (line: Buffer): Opening | undefined =>
  line.subarray(0, BEGINNING).includes('"event":"log-opened"')
    ? openingSchema.safeParse(parseLine(line)).data
    : undefined

/** The object in a line; `undefined` where it is none. */
export const parseLine = (bytes: Buffer): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined // not JSON
  }
}
