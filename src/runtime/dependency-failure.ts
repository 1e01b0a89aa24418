// A failure of another server in words for the audit log. Messages for the log of authz may contain more, such as the
// name that a caller typed, which may be a password in the wrong field.

/** A failure with a summary that audit may keep. */
export abstract class DependencyFailure extends Error {
  /** Which protocol failed, and how: nothing of a caller, and no secret. */
  abstract readonly summary: string
}

/** The summary of a failure; `undefined` where it has none. */
export const summaryOf = (cause: unknown): string | undefined =>
  cause instanceof DependencyFailure ? cause.summary : undefined
