// What is wrong with an audit log, and where.

/** What is wrong. */
type FindingKind =
  /** The hash of a record is not that of its bytes: it, or the record before it, was changed. */
  | 'changed'
  /** Records are missing before this one. */
  | 'missing'
  /** Records before the first one of a chain are missing, and nothing says that there were none. */
  | 'no-beginning'
  /** A record is further down than its sequence number says. */
  | 'moved'
  /** Records are there more than once, or two writers continued one chain. */
  | 'repeated'
  /** An audit event without a place in a chain. */
  | 'unchained'
  /** A line that is not a record, and no record explains it. */
  | 'unreadable'
  /** A checkpoint has no right signature. */
  | 'forged'
  /** A chain has no signature, or none where one was due. */
  | 'unsigned'
  /** A record does not have the hash that is expected, or is not there. */
  | 'unexpected'
  /** The last line has no end, and no later record explains it. */
  | 'incomplete'

/** A place in a log. */
export interface LogPlace {
  readonly file: string
  readonly line: number
}

/** One thing that is wrong. */
export interface Finding extends LogPlace {
  readonly kind: FindingKind
  readonly chain?: string | undefined
  readonly sequence?: number | undefined
  /** A sentence for the operator. */
  readonly text: string
}

/** Something to know that is not wrong. */
export interface VerifyNote extends LogPlace {
  readonly text: string
}
