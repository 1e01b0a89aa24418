// What a phase of a check can come to, as an explanation tells it.

/** Whether a phase was passed, ended the check, or was not reached. */
export type PhaseOutcome = 'hit' | 'miss' | 'not-reached'
