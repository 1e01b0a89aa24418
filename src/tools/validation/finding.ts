// What a check of the files finds: an error stops production, a warning will, or may.

/** One finding. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  /** Of the place in the document. */
  readonly path: readonly PropertyKey[]
  /** What is wrong and what would be right. */
  readonly message: string
}

/** An error at a place. */
export const errorAt = (path: readonly PropertyKey[], message: string): Finding => ({
  severity: 'error',
  path,
  message,
})

/** A warning at a place. */
export const warningAt = (path: readonly PropertyKey[], message: string): Finding => ({
  severity: 'warning',
  path,
  message,
})
