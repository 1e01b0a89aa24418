// The outcomes of a phase, in an explanation.

/** Whether a phase was passed, ended the check, or was not reached. */
export type PhaseOutcome = 'hit' | 'miss' | 'not-reached'
