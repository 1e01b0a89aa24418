// What an operator needs to know of a reason code. The tables of this folder have an entry for each code, so that a
// new code without an explanation does not compile.

/** What a reason code means, and what to do. */
export interface ReasonExplanation {
  /** What happened, in one or two sentences. */
  readonly cause: string
  /** What to do about it: the caller, or the operator. */
  readonly remedy: string
}
