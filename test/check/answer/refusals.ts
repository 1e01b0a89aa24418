// Every reason by which a check refuses.

import { PUBLIC_ANSWERS } from '../../../src/check/answer/public-answers.ts'
import type { Refusal } from '../../../src/check/answer/public-refusal.ts'

/** All that have a public answer. */
export const REFUSALS = Object.keys(PUBLIC_ANSWERS).filter(
  (reason): reason is Refusal => reason in PUBLIC_ANSWERS,
)
