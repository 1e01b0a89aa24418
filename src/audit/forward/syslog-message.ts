// A record as a message of RFC 5424, framed by its length (RFC 5425 §4.3, RFC 6587 §3.4.1).

import type { LogRecord } from './log-reader.ts'
import { recordFields } from './record-fields.ts'

const INFORMATIONAL = 6 // RFC 5424 §6.2.1
const SEVERITIES = 8
const NIL = '-'
// RFC 5424 §6: PRINTUSASCII, at most 255 characters.
const NOT_PRINTABLE = /[^\x21-\x7e]/g
const LONGEST_HOST = 255
// RFC 5612: Countersign has no number of its own.
const SD_ID = 'countersign@32473'

/** The name of the machine as it is written into messages. */
export const syslogHost = (host: string): string =>
  host.replaceAll(NOT_PRINTABLE, '_').slice(0, LONGEST_HOST) || NIL

/**
 * The message of a record, with its length before it. MSG is the line as it is, without a byte order mark, which parsers of JSON refuse.
 *
 * @param host of {@link syslogHost}
 */
export const syslogFrame = (
  { line, chain, sequence, hash }: LogRecord,
  { facility, host }: { readonly facility: number; readonly host: string },
): Buffer => {
  const { time, event } = recordFields(line)
  const priority = facility * SEVERITIES + INFORMATIONAL
  // The characters of these values need no escape (RFC 5424 §6.3.3).
  const data = `[${SD_ID} chain="${chain}" seq="${sequence}" hash="${hash}"]`
  const header = `<${priority}>1 ${time || NIL} ${host} countersign - ${event || NIL} ${data} `
  const length = Buffer.byteLength(header) + line.length
  return Buffer.concat([Buffer.from(`${length} ${header}`), line])
}
