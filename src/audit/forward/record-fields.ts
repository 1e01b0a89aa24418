// The fields of a record that sinks need outside of its line.

const BEGINNING = /^\{"log":"audit","time":"([^"\\]{1,40})","event":"([a-z-]{1,40})"/
const LONGEST = 160

/** The time (RFC 3339) and the name of the event. */
export interface RecordFields {
  readonly time: string
  readonly event: string
}

/** Reads them from the beginning of a line, without parsing all of it. */
export const recordFields = (line: Buffer): RecordFields => {
  const [, time, event] = BEGINNING.exec(line.toString('latin1', 0, LONGEST)) ?? []
  return time !== undefined && event !== undefined ? { time, event } : { time: '', event: '' }
}
