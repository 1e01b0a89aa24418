// What verifiers write into a reference to an account: a few texts, and the kind of verifier.

import type { AccountReference } from './verifier.ts'

/** The texts of a reference, by what they are. */
export type ReferenceTexts = Readonly<Record<string, string>>

/** Writes a reference. Equal texts in the same order give equal references. */
export const writeReference = (kind: string, texts: ReferenceTexts): AccountReference =>
  JSON.stringify({ kind, ...texts })

/** The texts of a reference; `undefined` for one of another kind of verifier. */
export const readReference = (
  kind: string,
  reference: AccountReference,
): ReferenceTexts | undefined => {
  const said: ReferenceTexts = JSON.parse(reference) // ours: `writeReference` wrote it
  return said['kind'] === kind ? said : undefined
}
